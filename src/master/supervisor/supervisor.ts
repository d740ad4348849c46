/**
 * Keeps the instances of a master running, whatever becomes of the engines that they run on.
 *
 * @module
 */
import type { SessionRecord } from "../../report/types.ts";
import type { Timer } from "../../runtime/types.ts";
import { VERSION } from "../../version.ts";
import { Engine } from "./engine.ts";
import { Supervised, toleratedIntervals } from "./supervised.ts";
import type { EngineInfo, InstanceSupervisor, InstanceToStart, SupervisorEvents, SupervisorOptions } from "./types.ts";

/** Starts at the start of a master: so far apart, and all of them in so many steps. */
const START_STEP_MS = 100;
const MOST_STEPS = 20;
/** An engine that nothing runs on is kept this long. */
const IDLE_MS = 30_000;
/** What an engine needs on top of the time for its sessions. */
const END_MS = 1_000;
/** An instance that was there at so many crashes has an engine to itself from then on. */
const CRASHES_APART = 2;
/** An engine that has not said a word is given up after this time. */
const SLOW_START_MS = 30_000;

/** See the module. */
export class Supervisor implements InstanceSupervisor {
  readonly #options: SupervisorOptions;
  readonly #events: SupervisorEvents;
  readonly #instances = new Map<string, Supervised>();
  readonly #engines = new Set<Engine>();
  /** Ends of engines on which nothing runs. */
  readonly #retirements = new Map<Engine, Timer>();
  readonly #tick: Timer;
  #closing: Promise<void> | null = null;

  constructor(options: SupervisorOptions, events: SupervisorEvents) {
    this.#options = options;
    this.#events = events;
    this.#tick = options.clock.every(options.settings.reportIntervalMs, () => this.#look());
  }

  start(id: string, url: string): void {
    this.#instance(id)?.start(url, 0);
  }

  startAll(instances: readonly InstanceToStart[]): void {
    const step = Math.ceil(instances.length / MOST_STEPS);
    for (const [index, { id, url }] of instances.entries()) {
      this.#instance(id)?.start(url, Math.floor(index / step) * START_STEP_MS);
    }
  }

  stop(id: string): void {
    this.#instances.get(id)?.stop();
    this.#forget();
  }

  restart(id: string, url: string): void {
    this.#instance(id)?.restart(url);
  }

  async sessions(id: string): Promise<readonly SessionRecord[]> {
    const runs = this.#instances.get(id)?.runs ?? [];
    const lists = await Promise.all(runs.map(async ({ engine, name, number }) => {
      const answer = await engine.ask((request) => ({ kind: "sessions", request, run: name }));
      const sessions = answer?.kind === "sessions" ? answer.sessions : [];
      // Each run counts from 1.
      return sessions.map((session) => ({ ...session, id: `${number}-${session.id}` }));
    }));
    return lists.flat();
  }

  async endSession(id: string, session: string): Promise<boolean> {
    const [, number, rest = ""] = /^(\d{1,15})-(.+)$/s.exec(session) ?? [];
    const run = this.#instances.get(id)?.runs.find((each) => String(each.number) === number);
    if (run === undefined) return false;
    const answer = await run.engine.ask((request) => ({
      kind: "end_session",
      request,
      run: run.name,
      session: rest,
    }));
    return answer?.kind === "session_ended" && answer.found;
  }

  reload(): void {
    for (const engine of this.#engines) engine.send({ kind: "reload" });
  }

  engines(): readonly EngineInfo[] {
    return [...this.#engines].map(({ pid, runs, owner }) => ({
      pid,
      instances: [...new Set([...runs.keys()].map((name) => name.slice(0, name.lastIndexOf("-"))))],
      own: owner !== null,
    }));
  }

  close({ graceMs = this.#options.settings.shutdownTimeoutMs }: { readonly graceMs?: number } = {}): Promise<void> {
    return this.#closing ??= this.#close(graceMs);
  }

  async #close(graceMs: number): Promise<void> {
    this.#tick.cancel();
    for (const timer of this.#retirements.values()) timer.cancel();
    for (const instance of this.#instances.values()) instance.close(graceMs);
    const engines = [...this.#engines];
    for (const engine of engines) engine.end();
    const timer = this.#options.clock.after(graceMs + END_MS, () => {
      for (const engine of engines) engine.kill();
    });
    await Promise.all(engines.map(({ ended }) => ended));
    timer.cancel();
  }

  #instance(id: string): Supervised | null {
    if (this.#closing !== null) return null;
    const { clock, random, settings } = this.#options;
    let instance = this.#instances.get(id);
    if (instance === undefined) {
      instance = new Supervised(id, {
        clock,
        random,
        settings,
        events: this.#events,
        place: (instance) => this.#place(instance),
        left: (engine) => this.#left(engine),
      });
      this.#instances.set(id, instance);
    }
    return instance;
  }

  /** The least loaded engine; another one while there may be more and none is without work. */
  #place(instance: Supervised): Engine {
    const { engines, isolation } = this.#options;
    const owner = isolation === "process" || instance.crashes >= CRASHES_APART ? instance.id : null;
    const usable = [...this.#engines].filter((engine) => engine.owner === owner && !engine.leaving);
    usable.sort((a, b) => a.runs.size - b.runs.size);
    const [least] = usable;
    const most = owner === null ? Math.max(1, engines) : 1;
    if (least === undefined || (least.runs.size > 0 && usable.length < most)) return this.#startEngine(owner);
    this.#retirements.get(least)?.cancel();
    this.#retirements.delete(least);
    return least;
  }

  #startEngine(owner: string | null): Engine {
    const { startEngine, clock, logger } = this.#options;
    const engine: Engine = new Engine(startEngine, owner, clock, {
      heard: (_, run, report) => this.#instances.get(idOf(run.name))?.heard(run, report),
      ready: ({ pid }, version) => {
        logger.debug("Engine started", { pid });
        if (version === VERSION) return;
        logger.warn("Engine is of another version than its master: restart the master", { pid, version });
      },
      ended: (engine, reason) => this.#ended(engine, reason),
    });
    this.#engines.add(engine);
    return engine;
  }

  /** A run has left; an engine without any goes after a while. */
  #left(engine: Engine): void {
    this.#forget();
    if (engine.runs.size > 0 || engine.leaving || this.#retirements.has(engine)) return;
    const { clock, settings } = this.#options;
    const timer = clock.after(engine.owner === null ? IDLE_MS : 0, () => {
      engine.end();
      this.#retirements.set(engine, clock.after(settings.shutdownTimeoutMs + END_MS, () => engine.kill()));
    });
    this.#retirements.set(engine, timer);
  }

  /** What is told of the stop of an instance comes from the instance itself. */
  #forget(): void {
    for (const [id, { idle, crashes }] of this.#instances) if (idle && crashes === 0) this.#instances.delete(id);
  }

  #ended(engine: Engine, reason: string): void {
    this.#retirements.get(engine)?.cancel();
    this.#retirements.delete(engine);
    this.#engines.delete(engine);
    const runs = [...engine.runs.values()];
    if (this.#closing === null && runs.length > 0) {
      this.#options.logger.error("Engine ended", { pid: engine.pid, reason, runs: runs.length });
    }
    for (const run of runs) {
      // One that never came up says nothing about what runs on it.
      this.#instances.get(idOf(run.name))?.lost(run, reason, engine.ready && this.#closing === null);
    }
  }

  #look(): void {
    const { clock, logger, settings } = this.#options;
    const most = toleratedIntervals(settings.reportIntervalMs);
    for (const engine of this.#engines) {
      if (engine.runs.size === 0 || engine.leaving) continue;
      const slow = clock.now() - engine.startedAt >= SLOW_START_MS;
      if (engine.ready ? engine.silent++ < most : !slow) continue;
      logger.error("Engine does not answer: it is ended", { pid: engine.pid });
      engine.kill();
    }
    for (const instance of this.#instances.values()) instance.tick();
  }
}

function idOf(run: string): string {
  return run.slice(0, run.lastIndexOf("-"));
}
