/**
 * One engine as the supervisor sees it.
 *
 * @module
 */
import type { EngineLink, StartEngine } from "../../report/engine_link.ts";
import type { EngineCommand, EngineReport } from "../../report/messages.ts";
import type { Clock } from "../../runtime/types.ts";
import type { Run } from "./run.ts";

/** An engine answers questions at once, or is in trouble. */
const ANSWER_MS = 2_000;

/** A report that is about a run. */
export type RunReport = Extract<EngineReport, { readonly run: string }>;
/** An answer to a question. */
type Answer = Extract<EngineReport, { readonly request: number }>;
type Question = Extract<EngineCommand, { readonly request: number }>;

/** What an engine tells. */
export interface EngineEvents {
  heard(engine: Engine, run: Run, report: RunReport): void;
  ready(engine: Engine, version: string): void;
  /** It is gone, asked to or not; its runs are still in `runs`. */
  ended(engine: Engine, reason: string): void;
}

/** See the module. */
export class Engine {
  /** The only instance that it is for; null for all. */
  readonly owner: string | null;
  readonly runs: Map<string, Run> = new Map();
  /** Clock ms. */
  readonly startedAt: number;
  /** Report intervals since its last word. */
  silent = 0;
  /** It has said its first word. */
  ready = false;
  /** It was told to go, or killed: nothing is started on it any more. */
  leaving = false;
  readonly #clock: Clock;
  readonly #link: EngineLink;
  readonly #questions = new Map<number, (answer: Answer | null) => void>();
  #nextQuestion = 1;

  constructor(startEngine: StartEngine, owner: string | null, clock: Clock, events: EngineEvents) {
    this.owner = owner;
    this.#clock = clock;
    this.startedAt = clock.now();
    this.#link = startEngine((report) => this.#heard(report, events));
    void this.#link.ended.then((reason) => {
      this.leaving = true;
      for (const answer of [...this.#questions.values()]) answer(null);
      events.ended(this, reason);
    });
  }

  get pid(): number | null {
    return this.#link.pid;
  }

  /** Resolves once it is gone. */
  get ended(): Promise<string> {
    return this.#link.ended;
  }

  send(command: EngineCommand): void {
    this.#link.send(command);
  }

  /** The answer; null when there is none in time. */
  ask(question: (request: number) => Question): Promise<Answer | null> {
    const request = this.#nextQuestion++;
    return new Promise((resolve) => {
      const done = (answer: Answer | null): void => {
        timer.cancel();
        this.#questions.delete(request);
        resolve(answer);
      };
      const timer = this.#clock.after(ANSWER_MS, () => done(null));
      this.#questions.set(request, done);
      this.#link.send(question(request));
    });
  }

  /** It lets its sessions end and goes. Idempotent. */
  end(): void {
    this.leaving = true;
    this.#link.end();
  }

  /** It goes at once. Idempotent. */
  kill(): void {
    this.leaving = true;
    this.#link.kill();
  }

  #heard(report: EngineReport, events: EngineEvents): void {
    this.silent = 0;
    if (report.kind === "ready") {
      this.ready = true;
      return events.ready(this, report.version);
    }
    if ("request" in report) return this.#questions.get(report.request)?.(report);
    const run = this.runs.get(report.run);
    if (run !== undefined) events.heard(this, run, report);
  }
}
