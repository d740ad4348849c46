/**
 * What one reader has still to get: bounded, whatever it does.
 *
 * @module
 */
import type { InstanceView } from "../instance.ts";
import type { EventType } from "./types.ts";

/** Events other than updates that wait for one reader. */
const OTHERS = 256;

/** And their length: fat log lines of many slow readers would add up. */
const OTHERS_UNITS = 4 * 1024 * 1024;

/** An event as it goes to all readers. */
export interface Broadcast {
  readonly n: number;
  readonly type: EventType;
  readonly instance: InstanceView;
  readonly data: string;
  readonly frame: string;
}

/** What comes out next. */
export type Waiting =
  | { readonly kind: "event"; readonly frame: string }
  /** Newer than its number: it took the place of an update that nobody will get any more. */
  | { readonly kind: "merged"; readonly n: number; readonly data: string }
  /** So many log lines of this instance were dropped here. */
  | { readonly kind: "lost"; readonly instance: InstanceView; readonly count: number };

interface Update {
  readonly kind: "update";
  readonly n: number;
  readonly instance: string;
  data: string;
}

interface Other {
  readonly kind: "other" | "log";
  readonly event: Broadcast;
}

interface Gap {
  readonly kind: "gap";
  readonly lost: Map<string, { readonly instance: InstanceView; count: number }>;
}

/** See the module. */
export class Backlog {
  #queue: (Update | Other | Gap)[] = [];
  readonly #updates = new Map<string, Update>();
  #gap: Gap | null = null;
  #others = 0;
  #units = 0;

  /** Log lines that gave way. */
  dropped = 0;

  /** Entries that wait. */
  get length(): number {
    return this.#queue.length;
  }

  /** Adds an event; false when there is no room left for it, and nothing that may be dropped. */
  push(event: Broadcast): boolean {
    if (event.type === "update") {
      this.#pushUpdate(event);
      return true;
    }
    const log = event.type === "log";
    while (this.#full(event)) {
      if (log) {
        this.#lose(event.instance, this.#queue.length);
        return true;
      }
      if (!this.#dropLog()) return false;
    }
    this.#queue.push({ kind: log ? "log" : "other", event });
    this.#others++;
    this.#units += event.frame.length;
    if (event.type === "delete") this.#updates.delete(event.instance.id);
    return true;
  }

  /** Takes what comes next; null when nothing waits. */
  shift(): Waiting | null {
    const first = this.#queue[0];
    if (first === undefined) return null;
    if (first.kind === "gap") return this.#shiftLost(first);
    this.#queue.shift();
    if (first.kind === "update") {
      if (this.#updates.get(first.instance) === first) this.#updates.delete(first.instance);
      return { kind: "merged", n: first.n, data: first.data };
    }
    this.#forget(first);
    return { kind: "event", frame: first.event.frame };
  }

  /** Forgets everything. */
  clear(): void {
    this.#queue = [];
    this.#updates.clear();
    this.#gap = null;
    this.#others = this.#units = 0;
  }

  /** The newest update takes the place and the number of the oldest: a resume from there sends a little twice, and nothing is skipped. */
  #pushUpdate({ n, instance, data }: Broadcast): void {
    const waiting = this.#updates.get(instance.id);
    if (waiting !== undefined) {
      waiting.data = data;
      return;
    }
    const update: Update = { kind: "update", n, instance: instance.id, data };
    this.#updates.set(instance.id, update);
    this.#queue.push(update);
  }

  #full({ frame }: Broadcast): boolean {
    return this.#others >= OTHERS || (this.#others > 0 && this.#units + frame.length > OTHERS_UNITS);
  }

  #dropLog(): boolean {
    const at = this.#queue.findIndex(({ kind }) => kind === "log");
    if (at < 0) return false;
    const [log] = this.#queue.splice(at, 1) as [Other];
    this.#forget(log);
    this.#lose(log.event.instance, at);
    return true;
  }

  #lose(instance: InstanceView, at: number): void {
    this.dropped++;
    if (this.#gap === null) this.#queue.splice(at, 0, this.#gap = { kind: "gap", lost: new Map() });
    const lost = this.#gap.lost.get(instance.id);
    if (lost === undefined) this.#gap.lost.set(instance.id, { instance, count: 1 });
    else lost.count++;
  }

  #shiftLost(gap: Gap): Waiting | null {
    for (const [id, { instance, count }] of gap.lost) {
      gap.lost.delete(id);
      if (gap.lost.size === 0) {
        this.#queue.shift();
        this.#gap = null;
      }
      return { kind: "lost", instance, count };
    }
    return null;
  }

  #forget({ event }: Other): void {
    this.#others--;
    this.#units -= event.frame.length;
  }
}
