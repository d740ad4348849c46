/**
 * What a running tunnel instance shows to its owner.
 *
 * @module
 */
import type { Protocol } from "../relay/meter.ts";
import type { SocketAddress } from "../runtime/types.ts";

/** Why a visitor or a datagram was turned away. */
export type Rejection =
  /** More sessions than `slot`. */
  | "slot"
  /** The address is in `deny` or not in `allow`. */
  | "denied"
  /** The first bytes are of a protocol in `block`. */
  | "blocked"
  /** No link became ready within NP_POOL_GET_TIMEOUT. */
  | "no_link"
  /** No target answered. */
  | "dial"
  /** The tunnel port was called by somebody who does not have the key. */
  | "handshake"
  /** A datagram was dropped because the way was too slow. */
  | "overflow";

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
  /** Live TCP sessions. */
  readonly tcpSessions: number;
  /** TCP sessions since its start. */
  readonly tcpOpened: number;
  /** Live UDP sessions. */
  readonly udpSessions: number;
  /** Bytes received from the TCP sockets of visitors or targets. */
  readonly tcpRx: number;
  /** Bytes sent to them. */
  readonly tcpTx: number;
  /** Bytes received from UDP visitors or targets. */
  readonly udpRx: number;
  /** Bytes sent to them. */
  readonly udpTx: number;
  /** Visitors turned away, by reason. */
  readonly rejections: Readonly<Partial<Record<Rejection, number>>>;
  /** Connected other ends. */
  readonly peers: readonly PeerInfo[];
}

/** One connected other end. */
export interface PeerInfo {
  /** Client id: random per start, kept over reconnects. */
  readonly id: string;
  /** `ip:port` of its control channel. */
  readonly address: string;
  /** Round trip on its control channel in ms. */
  readonly pingMs: number;
  /** Its ready links. */
  readonly pool: number;
  /** Its live sessions. */
  readonly sessions: number;
}

/** One live session. */
export interface SessionInfo {
  /** For `endSession`. */
  readonly id: string;
  /** TCP or UDP. */
  readonly protocol: Protocol;
  /** `ip:port` of the visitor. */
  readonly visitor: string;
  /** `host:port` of the target; "" while it is not dialled or at the end that does not dial. */
  readonly target: string;
  /** Milliseconds since the session began. */
  readonly ageMs: number;
  /** Bytes received from the local socket: the visitor's or the target's. */
  readonly rx: number;
  /** Bytes sent to it. */
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
  /** Counters and gauges of this moment. */
  stats(): TunnelStats;
  /** The live sessions. */
  sessions(): readonly SessionInfo[];
  /** Ends one session; false when there is none with this id. */
  endSession(id: string): boolean;
  /** Reads certificate files again; established links stay. */
  reload(): Promise<void>;
  /** Accepts nothing more from the call on, lets sessions end, then cuts them. Idempotent: the first call decides. */
  close(options?: CloseOptions): Promise<void>;
}

/** Options of `TunnelHandle.close`. */
export interface CloseOptions {
  /** How long sessions may go on. @default NP_SHUTDOWN_TIMEOUT */
  readonly graceMs?: number;
  /**
   * Called once when every port is free again. Visitors of UDP are cut for it instead of drained, since their answers
   * leave from the port. @default ports are free at the end
   */
  readonly onReleased?: () => void;
}
