/**
 * What an instance tells its master.
 *
 * @module
 */

/** Byte counters of both protocols, seen from the sockets of visitors or targets at this end. */
export interface Counters {
  readonly tcprx: number;
  readonly tcptx: number;
  readonly udprx: number;
  readonly udptx: number;
}

/** Gauges of a moment. Integers. */
export interface Gauges {
  /** 1 or 2; 0 while a client has not reached its server. */
  readonly mode: number;
  /** Milliseconds. */
  readonly ping: number;
  /** Ready links. */
  readonly pool: number;
  /** Live TCP sessions. */
  readonly tcps: number;
  /** Live UDP sessions. */
  readonly udps: number;
}

/** The record of one run: gauges, counters since the run began, what was turned away by reason. */
export interface InstanceReport extends Gauges, Counters {
  /** TCP sessions. */
  readonly connections: number;
  readonly rejections: Readonly<Record<string, number>>;
  /** The key is short, or made from the port. */
  readonly weakKey: boolean;
}

/** One live session. */
export interface SessionRecord {
  readonly id: string;
  readonly protocol: "tcp" | "udp";
  /** `ip:port`. */
  readonly visitor: string;
  /** `host:port`, or "" at the end that does not dial. */
  readonly target: string;
  readonly ageMs: number;
  readonly rx: number;
  readonly tx: number;
}
