/**
 * One instance under supervision: what it should do, the run at work, the runs that only let old sessions end.
 *
 * @module
 */
import type { Clock, Random, Timer } from "../../runtime/types.ts";
import { formatDuration } from "../../config/duration.ts";
import type { Status } from "../instance.ts";
import { Backoff } from "./backoff.ts";
import type { Engine, RunReport } from "./engine.ts";
import { gaugesOf, type Growth, NO_GROWTH, Run } from "./run.ts";
import { StatusLine } from "./status_line.ts";
import type { SupervisorEvents, SupervisorOptions } from "./types.ts";

/** A run that was told to stop has let go of its ports by then, or its engine is in trouble. */
const RELEASE_MS = 1_000;
/** How long a run waits for ports: of an instance that ran before, and of a new one. */
const PORT_WAIT_MS = 1_000;
const NEW_PORT_WAIT_MS = 300;
/** A run of this length is no failure in a row. */
const STEADY_MS = 30_000;
/** Checkpoints that may be missed. */
const MISSED_CHECKPOINTS = 3;
/** The same for a run whose start takes its time. */
const SLOW_START = 8;
/** A busy machine keeps anybody silent for so long, however short the interval is. */
const SHORTEST_SILENCE_MS = 4_000;

/** How many report intervals may pass without a word. */
export function toleratedIntervals(intervalMs: number, missed: number = MISSED_CHECKPOINTS): number {
  return Math.max(missed, Math.ceil(SHORTEST_SILENCE_MS / intervalMs));
}

/** What an instance needs of its supervisor. */
export interface SupervisedParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: SupervisorOptions["settings"];
  readonly events: SupervisorEvents;
  /** The engine for its next run. */
  readonly place: (instance: Supervised) => Engine;
  /** Calls when one of its runs has left its engine. */
  readonly left: (engine: Engine) => void;
}

/** See the module. */
export class Supervised {
  readonly id: string;
  /** Engines that ended by themselves while a run of it was there. */
  crashes = 0;
  readonly #parts: SupervisedParts;
  readonly #status: StatusLine;
  readonly #backoff: Backoff;
  readonly #draining = new Set<Run>();
  /** Null: it should not run. */
  #url: string | null = null;
  #current: Run | null = null;
  /** Starts the next run. */
  #next: Timer | null = null;
  #runs = 0;
  #closing = false;

  constructor(id: string, parts: SupervisedParts) {
    const { clock, random, settings, events } = parts;
    this.id = id;
    this.#parts = parts;
    this.#backoff = new Backoff(random, settings.reloadIntervalMs);
    this.#status = new StatusLine(clock, (status: Status, message) => {
      // Whoever called a method of the supervisor finishes first.
      queueMicrotask(() => events.status(id, status, message));
    });
  }

  /** Nothing is left to supervise. */
  get idle(): boolean {
    return this.#url === null && this.#current === null && this.#draining.size === 0;
  }

  /** Newest first. */
  get runs(): readonly Run[] {
    const runs = [...this.#draining].reverse();
    return this.#current === null ? runs : [this.#current, ...runs];
  }

  start(url: string, delayMs: number): void {
    if (this.#url !== null) return;
    this.#url = url;
    this.#backoff.reset();
    if (delayMs > 0) this.#later(delayMs);
    else this.#launch();
  }

  restart(url: string): void {
    const ran = this.#url !== null;
    this.#url = url;
    this.#backoff.reset();
    this.#cancel();
    if (this.#current !== null) this.#drain(this.#current, this.#parts.settings.shutdownTimeoutMs);
    if (ran) this.#status.stopped(true);
    this.#launch();
  }

  stop(): void {
    if (this.#url === null) return;
    this.#url = null;
    this.#cancel();
    if (this.#current !== null) this.#drain(this.#current, this.#parts.settings.shutdownTimeoutMs);
    this.#status.stopped(false);
  }

  /** Stops it without a word: it is to run again when the master does. */
  close(graceMs: number): void {
    this.#closing = true;
    this.#url = null;
    this.#cancel();
    this.#status.cancel();
    if (this.#current !== null) this.#drain(this.#current, graceMs);
  }

  heard(run: Run, report: RunReport): void {
    switch (report.kind) {
      case "log":
        return this.#parts.events.log(this.id, report.line);
      case "released":
        return this.#released(run);
      case "checkpoint": {
        return this.#checkpoint(run.take(report.report));
      }
      case "state":
        if (report.state === "running") return this.#running(run);
        return this.#ended(run, report.state === "error" ? report.message : "It ended by itself");
    }
  }

  /** Its engine is gone. */
  lost(run: Run, reason: string, crashed: boolean): void {
    if (crashed) this.crashes++;
    this.#ended(run, `Its engine ended: ${reason}`);
  }

  /** Once in each report interval. */
  tick(): void {
    const run = this.#current;
    if (run === null || !run.engine.ready || run.engine.leaving) return;
    const { reportIntervalMs } = this.#parts.settings;
    const most = toleratedIntervals(reportIntervalMs, run.phase === "starting" ? SLOW_START : MISSED_CHECKPOINTS);
    if (run.silent++ < most) return;
    this.#drain(run, 0);
    this.#failed(run, `No checkpoint for ${formatDuration(most * reportIntervalMs)}`);
  }

  #launch(): void {
    this.#cancel();
    if (this.#url === null || this.#current !== null) return;
    // Two runs never want the same ports: `auto` would take that for a service of somebody else.
    if ([...this.#draining].some(({ released }) => !released)) return;
    const number = ++this.#runs;
    const run = new Run(this.id, number, this.#parts.place(this));
    this.#current = run;
    run.engine.send({
      kind: "start",
      run: run.name,
      url: this.#url,
      portWaitMs: number === 1 ? NEW_PORT_WAIT_MS : PORT_WAIT_MS,
    });
  }

  #drain(run: Run, graceMs: number): void {
    run.phase = "draining";
    if (this.#current === run) this.#current = null;
    this.#draining.add(run);
    run.engine.send({ kind: "stop", run: run.name, graceMs });
    run.patience = this.#parts.clock.after(RELEASE_MS, () => this.#released(run));
  }

  #released(run: Run): void {
    if (run.released) return;
    run.released = true;
    run.patience?.cancel();
    if (this.#next === null) this.#launch();
  }

  #running(run: Run): void {
    if (run !== this.#current) return;
    if (run.phase === "starting") run.runningSince = this.#parts.clock.now();
    run.phase = "running";
    this.#status.show("running");
  }

  /** It is over, and this was its last word. */
  #ended(run: Run, message: string): void {
    const { engine } = run;
    engine.runs.delete(run.name);
    this.#draining.delete(run);
    const failed = run === this.#current;
    if (failed) this.#current = null;
    if (!this.#closing) this.#checkpoint(NO_GROWTH);
    if (failed) this.#failed(run, message);
    else this.#released(run);
    this.#parts.left(engine);
  }

  #failed(run: Run, message: string): void {
    if (this.#url === null) return;
    const { clock } = this.#parts;
    if (run.runningSince > 0 && clock.now() - run.runningSince >= STEADY_MS) this.#backoff.reset();
    this.#status.show("error", message);
    this.#later(this.#backoff.next());
  }

  #later(ms: number): void {
    this.#cancel();
    this.#next = this.#parts.clock.after(ms, () => this.#launch());
  }

  #cancel(): void {
    this.#next?.cancel();
    this.#next = null;
  }

  #checkpoint({ delta, connections, rejections }: Growth): void {
    const gauges = gaugesOf(this.#current, this.#draining);
    const weakKey = (this.#current ?? this.runs[0])?.last.weakKey ?? false;
    this.#parts.events.checkpoint(this.id, gauges, delta, { connections, rejections, weakKey });
  }
}
