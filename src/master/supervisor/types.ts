/**
 * What the supervisor of a master is given, and what it tells.
 *
 * @module
 */
import type { Logger } from "../../log/types.ts";
import type { Settings } from "../../config/types.ts";
import type { StartEngine } from "../../report/engine_link.ts";
import type { Counters, Gauges, SessionRecord } from "../../report/types.ts";
import type { Clock, Random } from "../../runtime/types.ts";
import type { Status } from "../instance.ts";

/** What the supervisor tells about instances. None of them is called from inside one of its own methods. */
export interface SupervisorEvents {
  /**
   * An instance has another status, or failed for another reason.
   *
   * @param message why, for `error`; else ""
   */
  status(id: string, status: Status, message: string): void;
  /**
   * The state of an instance: each report interval while it runs, and at the end of each run. Runs that only let old
   * sessions end count, too, so `delta` may come after `stopped`.
   *
   * @param gauges of the run at work; live sessions of all runs
   * @param delta what the counters of all its runs grew by since the last call
   */
  checkpoint(id: string, gauges: Gauges, delta: Counters, details: CheckpointDetails): void;
  /** A line that an instance logged, as it is: it may hold anything but keys. */
  log(id: string, line: string): void;
}

/** The rest of a checkpoint. */
export interface CheckpointDetails {
  /** TCP sessions since the last call. */
  readonly connections: number;
  /** Visitors turned away since the last call, by reason. */
  readonly rejections: Readonly<Record<string, number>>;
  /** The key is short, or made from the port. */
  readonly weakKey: boolean;
}

/** Options of `Supervisor`. */
export interface SupervisorOptions {
  readonly startEngine: StartEngine;
  /** How many engines share the instances, at least 1. */
  readonly engines: number;
  /** `process`: each instance has an engine to itself. */
  readonly isolation: "shared" | "process";
  readonly settings: Pick<Settings, "reportIntervalMs" | "reloadIntervalMs" | "shutdownTimeoutMs">;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** An instance that is to run. */
export interface InstanceToStart {
  readonly id: string;
  /** With everything that it inherits, and its key. */
  readonly url: string;
}

/** One engine, for metrics and tests. */
export interface EngineInfo {
  readonly pid: number | null;
  /** Ids of the instances that have a run on it. */
  readonly instances: readonly string[];
  /** It belongs to one instance alone. */
  readonly own: boolean;
}

/** See `supervisor.ts`. */
export interface InstanceSupervisor {
  /** Starts an instance that does not run; one that does is left alone. Its status follows as an event. */
  start(id: string, url: string): void;
  /** Starts several, not all at once. */
  startAll(instances: readonly InstanceToStart[]): void;
  /** Its listeners close at once, its sessions may end. Nothing happens when it does not run. */
  stop(id: string): void;
  /** Stops it and starts it with this URL as soon as its ports are free; starts one that does not run. */
  restart(id: string, url: string): void;
  /** Live sessions of all its runs. */
  sessions(id: string): Promise<readonly SessionRecord[]>;
  /** False when there is none with this id. */
  endSession(id: string, session: string): Promise<boolean>;
  /** All instances read their certificate files again. */
  reload(): void;
  engines(): readonly EngineInfo[];
  /** Stops everything, waits for what drains. Idempotent. @param options.graceMs @default NP_SHUTDOWN_TIMEOUT */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}
