/**
 * Everything that the main thread and its workers tell each other.
 *
 * @module
 */
import type { HostPort, TunnelConfig } from "../../config/types.ts";
import type { ErrorCode } from "../../errors.ts";
import type { LineLevel, LogFields } from "../../log/types.ts";
import type { ServerIdentity } from "../../wire/secure/identity.ts";
import type { SessionInfo, TunnelStats } from "../types.ts";
import type { Claim } from "./crew.ts";

/** What workers of a server tell each other about its clients. `token` names one control channel. */
export type PeerMessage =
  /** A handshake succeeded: prefaces of these links may arrive anywhere from now on. */
  | {
    readonly kind: "agreed";
    readonly client: string;
    readonly token: string;
    /** The worker that has the control channel. */
    readonly home: number;
    readonly resumed: boolean;
    /** `ip:port` of the control channel. */
    readonly address: string;
    readonly host: string;
    readonly linkKey: CryptoKey;
    readonly resumeSecret: CryptoKey;
    /** For the counters of these links. */
    readonly counters: SharedArrayBuffer;
    /** See `LinkBoard`; kept over resumes. */
    readonly board: SharedArrayBuffer;
  }
  /** The control channel is gone. */
  | { readonly kind: "lost"; readonly client: string; readonly token: string }
  /** The client is going away. */
  | { readonly kind: "leaving"; readonly client: string }
  | {
    readonly kind: "configured";
    readonly client: string;
    readonly minLinks: number;
    readonly delaysSmallWrites: boolean;
  }
  /** The client cancelled a session. */
  | { readonly kind: "cancelled"; readonly client: string; readonly link: number; readonly sequence: number }
  /** For whoever has the control channel: send this to the client. */
  | { readonly kind: "send"; readonly client: string; readonly frame: Uint8Array }
  /** For the same: visitors of a worker wait for this many links. */
  | { readonly kind: "wanted"; readonly client: string; readonly links: number; readonly worker: number }
  /** For one worker: close a ready link, so that the client opens it elsewhere. */
  | { readonly kind: "shed"; readonly client: string; readonly worker: number }
  /** A worker ended: the control channels that it had are gone. Said by the main thread. */
  | { readonly kind: "gone"; readonly worker: number };

/** A configuration whose key stayed behind. */
export type KeylessConfig = Omit<TunnelConfig, "key">;

/** The first message to a worker. */
export interface WorkerStart {
  readonly kind: "start";
  readonly index: number;
  readonly size: number;
  readonly config: KeylessConfig;
  /** The HKDF key of the root secret. */
  readonly root: CryptoKey | null;
  readonly identity: ServerIdentity | null;
  readonly slots: SharedArrayBuffer | null;
  readonly inbound: SharedArrayBuffer | null;
  readonly outbound: SharedArrayBuffer | null;
  /** Answers to questions that cannot wait for a turn of the event loop. */
  readonly mailbox: SharedArrayBuffer;
  /** Of the main thread, in ms, when this was sent. */
  readonly now: number;
  /** Levels that the log writes. */
  readonly levels: readonly LineLevel[];
  /** What was published before. */
  readonly history: readonly PeerMessage[];
}

/** A question that the worker answers in its mailbox. */
export type Question =
  | { readonly about: "report" }
  | { readonly about: "sessions" }
  | { readonly about: "end"; readonly session: string };

/** From the main thread. */
export type ToWorker =
  | WorkerStart
  | { readonly kind: "peer"; readonly message: PeerMessage; readonly acknowledge: number | null }
  | { readonly kind: "published"; readonly call: number; readonly refusal: string | null }
  | { readonly kind: "claimed"; readonly call: number; readonly addresses: readonly HostPort[] }
  | { readonly kind: "unclaimed"; readonly call: number; readonly error: PlainError }
  | { readonly kind: "ask"; readonly question: Question; readonly turn: number }
  | { readonly kind: "reload"; readonly call: number }
  | { readonly kind: "close"; readonly graceMs: number };

/** From a worker. */
export type FromWorker =
  | { readonly kind: "hello" }
  | { readonly kind: "log"; readonly level: LineLevel; readonly message: string; readonly fields: LogFields }
  | { readonly kind: "peer"; readonly message: PeerMessage; readonly call: number | null }
  | { readonly kind: "acknowledged"; readonly acknowledge: number }
  | { readonly kind: "claim"; readonly call: number; readonly claim: Claim }
  | { readonly kind: "started" }
  | { readonly kind: "report"; readonly report: WorkerReport }
  | { readonly kind: "reloaded"; readonly call: number }
  /** It did not start, or ended for good. */
  | { readonly kind: "failed"; readonly error: PlainError }
  /** Something nobody caught: the thread is of no use any more. */
  | { readonly kind: "crashed"; readonly reason: string }
  | { readonly kind: "closed" };

/** The state of one worker. */
export interface WorkerReport {
  readonly stats: TunnelStats;
  /** Sessions since its start. */
  readonly opened: number;
}

/** Answers in a mailbox. */
export type Answer = WorkerReport | readonly SessionInfo[] | boolean;

/** An error without its class. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
}
