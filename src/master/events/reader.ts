/**
 * One reader of events: what was missed, an `initial` for each instance, then what happens, as fast as it takes them.
 *
 * @module
 */
import type { Clock } from "../../runtime/types.ts";
import type { InstanceView } from "../instance.ts";
import { Backlog, type Broadcast } from "./backlog.ts";
import { eventData, eventFrame, RETRY_FRAME } from "./frames.ts";
import type { Replay } from "./replay.ts";
import type { FrameSink } from "./types.ts";

/** Where readers find the instances. */
export interface InstanceSource {
  /** All of them, that of the API key included. */
  list(): readonly InstanceView[];
  /** One, as it is now. */
  get(id: string): InstanceView | null;
}

/** What readers of one hub share. */
export interface Shared {
  readonly clock: Clock;
  readonly replay: Replay;
  readonly instances: InstanceSource;
}

/** See the module. */
export class Reader {
  readonly #shared: Shared;
  readonly #sink: FrameSink;
  readonly #backlog = new Backlog();
  readonly #closed = Promise.withResolvers<void>();
  /** What comes before everything else, last first. */
  #opening: string[];
  /** Numbers of missed events that are still to send. */
  #missed: { next: number; readonly end: number };
  /** Instances whose `initial` is still to send, last first. */
  #initials: string[];
  /** Id of the first `initial`: from there on this reader can resume. */
  #from: string | null;
  #behind = false;
  #state: "open" | "ending" | "closed" = "open";

  /** @param lastEventId the last id that this reader has seen, null for a new one */
  constructor(shared: Shared, sink: FrameSink, lastEventId: string | null) {
    this.#shared = shared;
    this.#sink = sink;
    const { replay, instances, clock } = shared;
    const seen = lastEventId === null ? replay.last : replay.resume(lastEventId);
    this.#opening = [RETRY_FRAME];
    if (seen === null) this.#opening.unshift(eventFrame(eventData("lagged", clock.wall(), null), null, "lagged"));
    this.#missed = { next: (seen ?? replay.last) + 1, end: replay.last };
    this.#initials = instances.list().map(({ id }) => id).reverse();
    this.#from = lastEventId === null || seen === null ? replay.id(replay.last) : null;
    sink.onClose(() => this.#close());
  }

  /** Events and lines that this reader lost. */
  get dropped(): number {
    return this.#backlog.dropped;
  }

  /** Resolves once the connection is gone. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Sends what can be sent now. */
  pump(): void {
    while (this.#state === "open" && !this.#behind) {
      const frame = this.#next();
      if (frame === null) return;
      this.#write(frame);
    }
  }

  /** Sends an event, or lets it wait. */
  offer(event: Broadcast): void {
    if (this.#state !== "open") return;
    if (!this.#behind) return this.#write(event.frame);
    if (this.#backlog.push(event)) return;
    // It learns `lagged` when it comes back too late, and misses nothing when it does not.
    this.break();
  }

  /** `shutdown` instead of everything that waits, then the end. */
  finish(frame: string): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    this.#forget();
    this.#sink.write(frame);
    this.#sink.end();
  }

  /** Cuts the connection without an end. */
  break(): void {
    if (this.#state === "closed") return;
    this.#backlog.dropped += this.#backlog.length;
    this.#close();
    this.#sink.break();
  }

  #next(): string | null {
    const opening = this.#opening.pop();
    if (opening !== undefined) return opening;
    const { clock, instances, replay } = this.#shared;
    while (this.#missed.next <= this.#missed.end) {
      const frame = replay.get(this.#missed.next++);
      if (frame !== null) return frame;
      // They were forgotten while it was reading.
      this.break();
      return null;
    }
    while (this.#initials.length > 0) {
      const instance = instances.get(this.#initials.pop()!);
      if (instance === null) continue;
      const id = this.#from;
      this.#from = null;
      return eventFrame(eventData("initial", clock.wall(), instance), id);
    }
    const waiting = this.#backlog.shift();
    if (waiting === null) return null;
    if (waiting.kind === "event") return waiting.frame;
    if (waiting.kind === "merged") return eventFrame(waiting.data, replay.id(waiting.n));
    const { instance, count } = waiting;
    const text = `${count} log line${count === 1 ? "" : "s"} dropped: this reader was too slow`;
    return eventFrame(eventData("log", clock.wall(), instance, text), null);
  }

  #write(frame: string): void {
    if (this.#sink.write(frame)) return;
    this.#behind = true;
    this.#sink.whenWritable(() => {
      this.#behind = false;
      this.pump();
    });
  }

  #close(): void {
    this.#state = "closed";
    this.#forget();
    this.#closed.resolve();
  }

  #forget(): void {
    this.#backlog.clear();
    this.#opening = [];
    this.#initials = [];
    this.#missed = { next: 1, end: 0 };
  }
}
