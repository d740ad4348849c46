/**
 * An instance: what is stored of it, and what the API shows.
 *
 * @module
 */
import type { Counters, Gauges } from "../report/types.ts";

/** Id of the pseudo instance that carries the API key and the name of the master. */
export const API_KEY_ID = "********";

/** Where an instance belongs, as other programs note it. */
export interface PeerMeta {
  readonly sid: string;
  readonly type: string;
  readonly alias: string;
}

/** Notes that clients of the API keep with an instance. */
export interface Meta {
  readonly peer: PeerMeta;
  readonly tags: Readonly<Record<string, string>>;
}

/** Notes of a new instance. */
export const EMPTY_META: Meta = Object.freeze({
  peer: Object.freeze({ sid: "", type: "", alias: "" }),
  tags: Object.freeze({}),
});

/** `running`: listening, connected or retrying. `error`: the last run failed. */
export type Status = "running" | "stopped" | "error";

/** What survives the master. */
export interface StoredInstance {
  /** 8 lower-case hex digits. */
  readonly id: string;
  readonly alias: string;
  /** As the client sent it, byte for byte. */
  readonly url: string;
  /** Start it when the master starts. */
  readonly restart: boolean;
  /** It had been started and not stopped when this was stored. */
  readonly wanted: boolean;
  readonly meta: Meta;
  readonly counters: Counters;
  /** Wire of the URL as long as that names none, whatever the master says: a Go master had it, and its peers are Go's. */
  readonly wire?: "1.14";
}

/** What the API shows: all members, always, in this order. */
export interface InstanceView extends Gauges, Counters {
  readonly id: string;
  readonly alias: string;
  readonly type: "client" | "server" | "";
  readonly status: Status | "";
  readonly url: string;
  readonly config: string;
  readonly restart: boolean;
  readonly meta: Meta;
}
