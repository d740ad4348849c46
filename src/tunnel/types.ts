/**
 * What a running tunnel instance shows to its owner.
 *
 * @module
 */
import type { Protocol } from "../relay/meter.ts";
import type { SocketAddress } from "../runtime/types.ts";

/** Why a visitor was turned away at once. */
export type Rejection = "slot" | "denied" | "blocked" | "no_link" | "dial" | "handshake" | "overflow";

/** How an instance runs. */
export type RunMode = "single" | "reverse" | "forward";

/** Counters and gauges of an instance. All byte counts since its start. */
export interface TunnelStats {
  /** Null until the mode is known (a client that has not reached its server). */
  readonly mode: RunMode | null;
  /** Code of the `mode` parameter: 1 or 2, 0 while unknown. For checkpoints. */
  readonly modeCode: 0 | 1 | 2;
  /** Round trip on the control channel in ms; 0 without a peer. */
  readonly pingMs: number;
  /** Ready links. */
  readonly pool: number;
  readonly tcpSessions: number;
  readonly udpSessions: number;
  readonly tcpRx: number;
  readonly tcpTx: number;
  readonly udpRx: number;
  readonly udpTx: number;
  readonly rejections: Readonly<Partial<Record<Rejection, number>>>;
  /** Connected other ends. */
  readonly peers: readonly PeerInfo[];
}

/** One connected other end. */
export interface PeerInfo {
  readonly id: string;
  readonly address: string;
  readonly pingMs: number;
  readonly pool: number;
  readonly sessions: number;
}

/** One live session. */
export interface SessionInfo {
  readonly id: string;
  readonly protocol: Protocol;
  /** `ip:port` of the visitor. */
  readonly visitor: string;
  /** `host:port` of the target; "" while it is not dialled or at the end that does not dial. */
  readonly target: string;
  /** Milliseconds since the session began. */
  readonly ageMs: number;
  readonly rx: number;
  readonly tx: number;
}

/** A started instance. */
export interface TunnelHandle extends AsyncDisposable {
  /** Where it listens: the tunnel address of a server or forwarder, the first entry of a forward-flow client; null when it only dials. */
  readonly addr: SocketAddress | null;
  /** Where visitors arrive; empty at the end that dials the target. */
  readonly entries: readonly SocketAddress[];
  /** Resolves once closed; rejects when the instance failed for good. */
  readonly finished: Promise<void>;
  stats(): TunnelStats;
  sessions(): readonly SessionInfo[];
  /** Ends one session; false when there is none with this id. */
  endSession(id: string): boolean;
  /** Reads certificate files again; established links stay. */
  reload(): Promise<void>;
  /** Accepts nothing more, lets sessions end for up to `graceMs`, then cuts them. Idempotent. @default NP_SHUTDOWN_TIMEOUT */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}
