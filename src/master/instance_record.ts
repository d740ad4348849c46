/**
 * One instance in the memory of a master: what is stored of it, and how it runs.
 *
 * @module
 */
import type { Counters, Gauges } from "../report/types.ts";
import { fingerprint } from "./identifiers.ts";
import type { InstanceView, Status, StoredInstance } from "./instance.ts";
import type { CheckpointDetails } from "./supervisor/types.ts";

/** Counters at the start. */
export const ZERO_COUNTERS: Counters = Object.freeze({ tcprx: 0, tcptx: 0, udprx: 0, udptx: 0 });
const IDLE: Gauges = Object.freeze({ mode: 0, ping: 0, pool: 0, tcps: 0, udps: 0 });

/** What the URL says under this master. */
export interface RunnableUrl {
  readonly type: InstanceView["type"];
  readonly config: string;
  readonly weakKey: boolean;
}

/** One instance. */
export class InstanceRecord {
  /** What the disk has, its counters aside. */
  stored: StoredInstance;
  status: Status = "stopped";
  url: RunnableUrl;
  #gauges: Gauges = IDLE;
  /** All bytes that were reported. */
  #counted: Counters;
  /** The bytes that are on disk: nothing else is shown. */
  #shown: Counters;
  #connections = 0;
  readonly #rejected: Record<string, number> = {};
  #weakKey: boolean | null = null;

  /**
   * @param stored what the disk has
   * @param url what its URL says
   */
  constructor(stored: StoredInstance, url: RunnableUrl) {
    this.stored = stored;
    this.url = url;
    this.#counted = stored.counters;
    this.#shown = stored.counters;
  }

  /** What the API shows. */
  view(): InstanceView {
    const { id, alias, url, restart, meta } = this.stored;
    const { mode, ping, pool, tcps, udps } = this.#gauges;
    const { tcprx, tcptx, udprx, udptx } = this.#shown;
    const { type, config } = this.url;
    const { status } = this;
    return {
      ...{ id, alias, type, status, url, config, restart, meta },
      ...{ mode, ping, pool, tcps, udps, tcprx, tcptx, udprx, udptx },
    };
  }

  /** The key is short, or made from the port. */
  get weakKey(): boolean {
    return this.#weakKey ?? this.url.weakKey;
  }

  /** What is to be stored now. */
  latest(): StoredInstance {
    return { ...this.stored, counters: this.#counted };
  }

  /** Whether there are bytes that the disk does not have. */
  get hasUnsaved(): boolean {
    const [a, b] = [this.#counted, this.#shown];
    return a.tcprx !== b.tcprx || a.tcptx !== b.tcptx || a.udprx !== b.udprx || a.udptx !== b.udptx;
  }

  /** These bytes are on disk. */
  saved(counters: Counters): void {
    this.#shown = counters;
  }

  /** The disk has zeros in place of `counters`; what came since stays. */
  zeroed(counters: Counters): void {
    this.#counted = subtract(this.#counted, counters);
    this.#shown = ZERO_COUNTERS;
  }

  /** The URL is another one from now on. */
  replaceUrl(url: RunnableUrl): void {
    this.url = url;
    this.#weakKey = null;
  }

  /** A report came: gauges of now, bytes and rejections since the report before. */
  take(gauges: Gauges, delta: Counters, { connections, rejections, weakKey }: CheckpointDetails): void {
    this.#gauges = gauges;
    this.#counted = add(this.#counted, delta);
    this.#weakKey = weakKey;
    this.#connections += connections;
    for (const [name, count] of Object.entries(rejections)) {
      this.#rejected[name] = (this.#rejected[name] ?? 0) + count;
    }
  }

  /** It does not run: nothing is ready and nobody is reached. */
  rest(status: Exclude<Status, "running">): void {
    this.status = status;
    this.#gauges = { ...IDLE, mode: this.#gauges.mode };
  }

  /** TCP sessions since the master started. */
  get connections(): number {
    return this.#connections;
  }

  /** Visitors that were turned away since the master started, by reason. */
  get rejections(): Readonly<Record<string, number>> {
    return this.#rejected;
  }
}

/** Changes with alias, url, restart and meta. */
export function revisionOf({ alias, url, restart, meta }: StoredInstance): string {
  return fingerprint(JSON.stringify([alias, url, restart, meta]));
}

function add(a: Counters, b: Counters): Counters {
  return {
    tcprx: sum(a.tcprx, b.tcprx),
    tcptx: sum(a.tcptx, b.tcptx),
    udprx: sum(a.udprx, b.udprx),
    udptx: sum(a.udptx, b.udptx),
  };
}

/** A counter that came from a Go master may be at its end. */
function sum(a: number, b: number): number {
  return Math.min(a + b, Number.MAX_SAFE_INTEGER);
}

function subtract(a: Counters, b: Counters): Counters {
  return {
    tcprx: a.tcprx - b.tcprx,
    tcptx: a.tcptx - b.tcptx,
    udprx: a.udprx - b.udprx,
    udptx: a.udptx - b.udptx,
  };
}
