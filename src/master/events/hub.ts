/**
 * The events of one master: encoded once, numbered, remembered, and given to every reader at its own speed.
 *
 * @module
 */
import type { Clock } from "../../runtime/types.ts";
import { eventData, eventFrame } from "./frames.ts";
import { type InstanceSource, Reader, type Shared } from "./reader.ts";
import { Replay } from "./replay.ts";
import type { EventHub, FrameSink, InstanceEvent } from "./types.ts";

/** How long a reader may take for the last event. */
const FLUSH_MS = 1_000;

/** Options of {@linkcode Hub}. */
export interface HubOptions {
  readonly clock: Clock;
  /** Number of this run of the master: greater than that of every earlier one. */
  readonly run: number;
  /** Whose `initial`s new readers get. */
  readonly instances: InstanceSource;
}

/** See the module. */
export class Hub implements EventHub {
  readonly #shared: Shared;
  readonly #readers = new Set<Reader>();
  #dropped = 0;

  constructor({ clock, run, instances }: HubOptions) {
    this.#shared = { clock, replay: new Replay(run), instances };
  }

  get readers(): number {
    return this.#readers.size;
  }

  get dropped(): number {
    let sum = this.#dropped;
    for (const reader of this.#readers) sum += reader.dropped;
    return sum;
  }

  /** Tells every reader; `initial` and `shutdown` are the hub's own affair. */
  emit({ type, instance, logs }: InstanceEvent): void {
    if (instance === null || type === "initial" || type === "shutdown") return;
    const { clock, replay } = this.#shared;
    const data = eventData(type, clock.wall(), instance, logs);
    const { n, frame } = replay.push((id) => eventFrame(data, id));
    for (const reader of this.#readers) reader.offer({ n, type, instance, data, frame });
  }

  attach(sink: FrameSink, lastEventId: string | null): void {
    const reader = new Reader(this.#shared, sink, lastEventId || null);
    this.#readers.add(reader);
    void reader.closed.then(() => {
      this.#readers.delete(reader);
      this.#dropped += reader.dropped;
    });
    reader.pump();
  }

  async endAll(): Promise<void> {
    const readers = [...this.#readers];
    if (readers.length === 0) return;
    const { clock } = this.#shared;
    const frame = eventFrame(eventData("shutdown", clock.wall(), null), null);
    for (const reader of readers) reader.finish(frame);
    const patience = clock.after(FLUSH_MS, () => readers.forEach((reader) => reader.break()));
    await Promise.all(readers.map((reader) => reader.closed));
    patience.cancel();
  }
}
