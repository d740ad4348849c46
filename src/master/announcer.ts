/**
 * When readers are told about an instance: at once, but never so soon that somebody misses what was before.
 *
 * @module
 */
import type { Clock, Timer } from "../runtime/types.ts";
import type { EventHub, EventType } from "./events/types.ts";
import type { InstanceView, Status } from "./instance.ts";
import type { InstanceRecord } from "./instance_record.ts";

/** Readers draw a new instance before its first update: 100 ms, and some. */
const QUIET_AFTER_CREATE_MS = 120;
/** People see that it stopped: 300 ms, and some. */
const STOPPED_SHOWN_MS = 320;

interface Pause {
  readonly timer: Timer;
  /** Status to show afterwards; null when it stays. */
  status: Status | null;
  /** Whether somebody has to be told afterwards. */
  due: boolean;
}

type Pauses = Map<InstanceRecord, Pause>;

/** Tells the readers of events, and holds a status back that comes too soon. */
export class Announcer {
  readonly #clock: Clock;
  readonly #quiet: Pauses = new Map();
  readonly #stopped: Pauses = new Map();
  #hub: EventHub | null = null;
  #silent = false;

  /** @param clock for the pauses */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on there is somebody to tell. */
  start(hub: EventHub): void {
    this.#hub = hub;
  }

  /** Nothing is told any more. Idempotent. */
  close(): void {
    this.#silent = true;
    for (const pauses of [this.#quiet, this.#stopped]) {
      for (const { timer } of pauses.values()) timer.cancel();
      pauses.clear();
    }
  }

  /** An instance was made. */
  created(record: InstanceRecord): void {
    this.emit("create", record.view());
    this.#pause(this.#quiet, record, QUIET_AFTER_CREATE_MS, ({ due }) => {
      if (due) this.changed(record);
    });
  }

  /** Something about it is different, or a report came. */
  changed(record: InstanceRecord): void {
    const quiet = this.#quiet.get(record);
    if (quiet === undefined) this.emit("update", record.view());
    else quiet.due = true;
  }

  /** It has another status. */
  status(record: InstanceRecord, status: Status): void {
    const pause = this.#stopped.get(record);
    if (pause !== undefined) pause.status = status;
    else if (record.status !== status) {
      if (status === "running") record.status = status;
      else record.rest(status);
      this.changed(record);
    }
  }

  /** It was told to stop, and shows so for a while whatever comes next. */
  stopped(record: InstanceRecord): void {
    if (record.status === "stopped" && !this.#stopped.has(record)) return;
    record.rest("stopped");
    this.#pause(this.#stopped, record, STOPPED_SHOWN_MS, ({ status }) => {
      if (status !== null) this.status(record, status);
    });
  }

  /** It is gone. */
  deleted(record: InstanceRecord): void {
    for (const pauses of [this.#quiet, this.#stopped]) forget(pauses, record);
    record.rest("stopped");
    this.emit("delete", record.view());
  }

  /** A line of its log. */
  logged(record: InstanceRecord, line: string): void {
    if (!this.#silent) this.#hub?.emit({ type: "log", instance: record.view(), logs: line });
  }

  /** Tells at once. */
  emit(type: EventType, instance: InstanceView): void {
    if (!this.#silent) this.#hub?.emit({ type, instance, logs: "" });
  }

  #pause(pauses: Pauses, record: InstanceRecord, ms: number, then: (pause: Pause) => void): void {
    forget(pauses, record);
    if (this.#silent) return;
    const timer = this.#clock.after(ms, () => {
      pauses.delete(record);
      then(pause);
    });
    const pause: Pause = { timer, status: null, due: false };
    pauses.set(record, pause);
  }
}

function forget(pauses: Pauses, record: InstanceRecord): void {
  pauses.get(record)?.timer.cancel();
  pauses.delete(record);
}
