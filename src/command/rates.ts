/**
 * Bytes per second of instances, from the counters of their updates.
 *
 * @module
 */
import type { InstanceView } from "../master/instance.ts";

/** Bytes per second, TCP and UDP together, as counted at this end's visitors or targets. */
export interface Rate {
  /** Received from them. */
  readonly rx: number;
  /** Sent to them. */
  readonly tx: number;
}

interface Sample extends Rate {
  readonly time: number;
}

/** Updates closer together than this tell of a change of status, not of traffic. */
const SHORTEST_MS = 500;

/** Keeps the last two samples of each instance. */
export class Rates {
  readonly #samples = new Map<string, readonly [Sample | null, Sample]>();

  /** Takes the counters of an update. */
  update(instance: InstanceView, time: number): void {
    if (Number.isNaN(time)) return;
    const sample = { time, rx: instance.tcprx + instance.udprx, tx: instance.tcptx + instance.udptx };
    const [, latest = null] = this.#samples.get(instance.id) ?? [];
    if (latest !== null && time - latest.time < SHORTEST_MS) return;
    // Counters that went back were reset: the time before says nothing.
    const usable = latest !== null && sample.rx >= latest.rx && sample.tx >= latest.tx;
    this.#samples.set(instance.id, [usable ? latest : null, sample]);
  }

  /** Null until two samples are known. */
  of(id: string): Rate | null {
    const [before, now] = this.#samples.get(id) ?? [null, null];
    if (before === null || now === null) return null;
    const seconds = (now.time - before.time) / 1000;
    return { rx: Math.round((now.rx - before.rx) / seconds), tx: Math.round((now.tx - before.tx) / seconds) };
  }

  /** Forgets an instance. */
  remove(id: string): void {
    this.#samples.delete(id);
  }
}
