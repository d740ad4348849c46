/**
 * What the page knows of the master, kept current by its events.
 *
 * @module
 */
import { API_KEY_ID, type InstanceView } from "../../instance.ts";
import type { MasterEvent } from "./event_stream.ts";
import { type Rate, RateHistory } from "./rates.ts";

const DRAWN_AFTER_MS = 50;

/** One instance and how its rates went. */
export interface Entry {
  view: InstanceView;
  readonly rates: RateHistory;
}

/** How many instances there are by status, and what all of them do together. */
export interface Totals {
  readonly all: number;
  readonly running: number;
  readonly stopped: number;
  readonly error: number;
  readonly sessions: number;
  readonly rate: Rate;
}

/** Who is told of changes: at most once for all that comes within a moment. */
export interface ModelListener {
  /** Instances came, went, or changed what a list shows of them. */
  changed(ids: ReadonlySet<string>): void;
}

/** Instances of one master. */
export class Model {
  readonly entries: Map<string, Entry> = new Map();
  readonly #listeners = new Set<ModelListener>();
  readonly #logListeners = new Set<(id: string, line: string) => void>();
  #changed = new Set<string>();
  /** What came and went since the last comparison began. */
  #touched = new Set<string>();
  #scheduled = false;

  /** Adds a listener; the answer takes it away again. */
  listen(listener: ModelListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Adds a listener for log lines; the answer takes it away again. */
  listenToLogs(listener: (id: string, line: string) => void): () => void {
    this.#logListeners.add(listener);
    return () => this.#logListeners.delete(listener);
  }

  /** An event of the master. */
  take(event: MasterEvent): void {
    const { instance } = event;
    if (instance === null || instance.id === API_KEY_ID) return;
    if (event.type === "delete") this.remove(instance.id);
    else if (event.type === "log") { for (const listener of this.#logListeners) listener(instance.id, event.logs); }
    else this.put(instance, Date.parse(event.time));
  }

  /** What is the latest of an instance. */
  put(view: InstanceView, time: number = Date.now()): void {
    if (view.id === API_KEY_ID) return;
    let entry = this.entries.get(view.id);
    if (entry === undefined) {
      entry = { view, rates: new RateHistory() };
      this.entries.set(view.id, entry);
      this.#touched.add(view.id);
    }
    entry.view = view;
    if (view.status === "running") entry.rates.push(time, view.tcprx + view.udprx, view.tcptx + view.udptx);
    else entry.rates.rest();
    this.#note(view.id);
  }

  /** An instance is gone. */
  remove(id: string): void {
    this.#touched.add(id);
    if (this.entries.delete(id)) this.#note(id);
  }

  /** Begins a comparison with the list of the master: what events tell after this call counts more than the list. */
  beginSync(): (views: readonly InstanceView[]) => void {
    const touched = new Set<string>();
    this.#touched = touched;
    return (views) => {
      const listed = new Set(views.map((view) => view.id));
      const left = [...this.entries.keys()].filter((id) => !listed.has(id) && !touched.has(id));
      for (const id of left) this.remove(id);
      for (const view of views) if (!this.entries.has(view.id) && !touched.has(view.id)) this.put(view);
    };
  }

  /** Sums. */
  totals(): Totals {
    const count = { running: 0, stopped: 0, error: 0 };
    let sessions = 0;
    let rx = 0;
    let tx = 0;
    for (const { view, rates } of this.entries.values()) {
      if (view.status !== "") count[view.status]++;
      sessions += view.tcps + view.udps;
      if (view.status !== "running") continue;
      rx += rates.current.rx;
      tx += rates.current.tx;
    }
    return { all: this.entries.size, ...count, sessions, rate: { rx, tx } };
  }

  #note(id: string): void {
    this.#changed.add(id);
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Many events make one picture; a browser slows the timers of pages in the background down by itself.
    setTimeout(() => {
      this.#scheduled = false;
      const changed = this.#changed;
      this.#changed = new Set();
      for (const listener of this.#listeners) listener.changed(changed);
    }, DRAWN_AFTER_MS);
  }
}
