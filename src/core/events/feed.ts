/**
 * Events as they happen, for programs that keep a connection open (`GET /admin/events`).
 *
 * @module
 */
import type { EventStream } from "../../http/sse.ts";
import type { CoreParts } from "../parts.ts";
import { eventJson } from "./event_log.ts";
import type { CoreEvent } from "./types.ts";

/** Events that a reader who comes back can be given. */
const RING = 1_000;
/** Events that wait for a slow reader; with more it is cut off, and comes back with the last id that it saw. */
const WAITING = 1_000;
/** Readers at once. */
const READERS = 64;
/** A comment that keeps proxies from ending a silent stream. */
const SILENCE_MS = 15_000;

/** What a stream is for the feed. */
export type FeedSink = Pick<EventStream, "write" | "whenWritable" | "end" | "break" | "onClose">;

/** See the module. */
export interface EventFeed {
  /** Whether another reader is taken. */
  readonly full: boolean;
  /**
   * Gives events to a reader until it goes: first those after `lastEventId`, when they are known. When they are not any
   * more, `event: lagged` comes first, and everything that is known.
   */
  attach(sink: FeedSink, lastEventId: string | null): void;
  /** Ends all streams. Idempotent. */
  close(): void;
}

/** Makes the feed, which reads nothing before its first reader. */
export function createEventFeed(parts: Pick<CoreParts, "events" | "runtime" | "metrics">): EventFeed {
  return new Feed(parts);
}

class Feed implements EventFeed {
  readonly #parts: Pick<CoreParts, "events" | "runtime" | "metrics">;
  readonly #readers = new Set<Reader>();
  readonly #ring: CoreEvent[] = [];
  /** Those of the ring that were read, and that the log may pass on nevertheless. */
  #read: Set<string> = new Set();
  #filled: Promise<void> | null = null;
  #unsubscribe = (): void => {};
  #closed = false;

  constructor(parts: Pick<CoreParts, "events" | "runtime" | "metrics">) {
    this.#parts = parts;
    parts.metrics.gauge("core_event_readers", () => this.#readers.size);
  }

  get full(): boolean {
    return this.#readers.size >= READERS;
  }

  attach(sink: FeedSink, lastEventId: string | null): void {
    if (this.#closed) return sink.end();
    const { clock } = this.#parts.runtime;
    const reader = new Reader(sink);
    const beat = clock.every(SILENCE_MS, () => reader.send(": still here\n\n"));
    this.#readers.add(reader);
    sink.onClose(() => {
      beat.cancel();
      reader.gone = true;
      this.#readers.delete(reader);
    });
    this.#filled ??= this.#fill();
    void this.#filled.then(() => this.#catchUp(reader, lastEventId), () => {
      this.#filled = null;
      sink.break();
    });
  }

  close(): void {
    this.#closed = true;
    this.#unsubscribe();
    for (const reader of this.#readers) reader.end();
  }

  async #fill(): Promise<void> {
    const { events } = this.#parts;
    const early: CoreEvent[] = [];
    let pass = (event: CoreEvent): void => void early.push(event);
    this.#unsubscribe();
    this.#unsubscribe = events.subscribe((event) => pass(event));
    this.#ring.splice(0, RING, ...await events.recent(RING));
    pass = (event) => this.#take(event);
    this.#read = new Set(this.#ring.map(({ id }) => id));
    for (const event of early) this.#take(event);
  }

  #take(event: CoreEvent): void {
    if (this.#read.delete(event.id)) return;
    this.#ring.push(event);
    if (this.#ring.length > RING) this.#ring.shift();
    const frame = frameOf(event);
    for (const reader of this.#readers) if (reader.caughtUp) reader.send(frame);
  }

  #catchUp(reader: Reader, lastEventId: string | null): void {
    reader.caughtUp = true;
    reader.send("retry: 1000\n\n");
    if (lastEventId === null) return;
    const at = this.#ring.findIndex(({ id }) => id === lastEventId);
    if (at < 0) reader.send("event: lagged\ndata: {}\n\n");
    for (const event of this.#ring.slice(at + 1)) reader.send(frameOf(event));
  }
}

/** One open stream. */
class Reader {
  /** Has what was before it came. */
  caughtUp = false;
  gone = false;
  readonly #sink: FeedSink;
  #behind = false;
  #waiting: string[] = [];

  constructor(sink: FeedSink) {
    this.#sink = sink;
  }

  send(frame: string): void {
    if (this.gone) return;
    if (this.#behind) {
      this.#waiting.push(frame);
      // What waits was counted when it came back for the ring, too: twice the ring is room enough.
      if (this.#waiting.length > 2 * WAITING) this.#sink.break();
      return;
    }
    if (this.#sink.write(frame)) return;
    this.#behind = true;
    this.#sink.whenWritable(() => this.#resume());
  }

  end(): void {
    this.#sink.end();
  }

  #resume(): void {
    this.#behind = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const frame of waiting) this.send(frame);
  }
}

function frameOf(event: CoreEvent): string {
  return `id: ${event.id}\nevent: ${event.type}\ndata: ${eventJson(event)}\n\n`;
}
