/**
 * The server side's front door: what it hands on and what it shows.
 *
 * @module
 */
import type { Conn, SocketAddress } from "../../runtime/types.ts";

/** Takes over connections that said who they are. */
export interface AcceptHandlers {
  /**
   * A complete control hello (128 bytes). Settles when the handshake is over. The acceptor bounds it in time, and closes
   * and reports the connection when it rejects; `wrong_key` and `protocol` count against its source.
   */
  control(conn: Conn, hello: Uint8Array, take: Take): Promise<void>;
  /** A complete link preface (64 bytes). True: taken over. False or a rejection: closed and counted against its source. */
  link(conn: Conn, preface: Uint8Array, take: Take): Promise<boolean>;
  /** The system refuses to accept connections for now, for lack of descriptors most likely. Called again while it does. */
  starved?(): void;
}

/**
 * Takes a connection over, in the same turn in which its first use follows: until then it may still be pushed out.
 * False: it was closed meanwhile.
 */
export type Take = () => boolean;

/** A listening tunnel port. */
export interface Acceptor {
  readonly local: SocketAddress;
  /** Resolves once nothing listens any more. */
  readonly finished: Promise<void>;
  /** Connections that have not completed their opening or their handshake. */
  readonly pending: number;
  /** Connections closed before they were taken over, by reason. */
  readonly refusals: Readonly<Record<Refusal, number>>;
  /** A control channel from this address lives: raises its caps until the returned function is called. */
  vouch(address: string): () => void;
  /**
   * SHA-256 of the DER of the leaf that `conn` was shown, or of the current one without `conn`; null in clear.
   */
  leafSha256(conn?: Conn): Uint8Array | null;
  /** Reads the certificate files again (`tls=2`). Never rejects: bad files are logged and the old ones stay. */
  reload(): Promise<void>;
  /** Stops listening and closes what is pending; taken over connections stay. Idempotent. */
  close(): void;
}

/** Why the acceptor closed a connection. */
export type Refusal =
  /** No complete opening in time. */
  | "timeout"
  /** Made room for a newer connection. */
  | "evicted"
  /** Its source sent too many bad openings. */
  | "refused"
  /** Unknown magic, bad MAC, reused counter, failed proof. */
  | "bad"
  /** Another protocol that was recognised. */
  | "foreign"
  /** Broken off by the other side, or a failed TLS handshake. */
  | "broken";
