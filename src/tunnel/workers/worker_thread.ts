/**
 * One worker as the main thread sees it: a thread that is started again when it ends by itself.
 *
 * @module
 */
import type { Runtime, Thread, Timer } from "../../runtime/types.ts";
import { Backoff } from "../backoff.ts";
import type { RunMode } from "../types.ts";
import { awaitAnswer } from "./mailbox.ts";
import { countersOf, EMPTY_REPORT, mergeReports } from "./merge_reports.ts";
import type { FromWorker, Question, ToWorker, WorkerReport } from "./messages.ts";

const FIRST_RESTART_MS = 250;
const LONGEST_RESTART_MS = 10_000;
/** A worker that ran this long is started again at once. */
const STABLE_MS = 10_000;
/** How long an answer may take before the last report has to do. */
const ANSWER_MS = 250;

/** What the owner of a worker is told, and asked. */
export interface WorkerThreadEvents {
  /** It is loaded and has heard nothing yet. */
  hello(worker: WorkerThread): void;
  message(worker: WorkerThread, message: FromWorker): void;
  /** It ended by itself; it is started again unless this returns false. */
  ended(worker: WorkerThread, reason: string): boolean;
}

/** See the module. */
export class WorkerThread {
  readonly index: number;
  readonly #runtime: Runtime;
  readonly #entry: string;
  readonly #mailbox: () => SharedArrayBuffer;
  readonly #events: WorkerThreadEvents;
  readonly #backoff: Backoff;
  /** What former lives counted. */
  #before: WorkerReport = EMPTY_REPORT;
  #last: WorkerReport = EMPTY_REPORT;
  #thread: Thread | null = null;
  #restart: Timer | null = null;
  #startedAt = 0;
  #turn = 0;
  /** From its first message on: until then nothing reaches it. */
  #listens = false;
  #running = false;

  constructor(
    runtime: Runtime,
    index: number,
    entry: string,
    mailbox: () => SharedArrayBuffer,
    events: WorkerThreadEvents,
  ) {
    this.#runtime = runtime;
    this.index = index;
    this.#entry = entry;
    this.#mailbox = mailbox;
    this.#events = events;
    this.#backoff = new Backoff(runtime.random, FIRST_RESTART_MS, LONGEST_RESTART_MS);
  }

  /** Whether its instance has started. */
  get running(): boolean {
    return this.#running;
  }

  /** Whether it knows of the others. */
  get listens(): boolean {
    return this.#listens;
  }

  /** The mode that it found itself in. */
  get mode(): RunMode | null {
    return this.#last.stats.mode;
  }

  start(): void {
    this.#startedAt = this.#runtime.clock.now();
    this.#thread = this.#runtime.threads.start(this.#entry, {
      message: (value) => this.#heard(value as FromWorker),
      ended: (reason) => this.fail(reason),
    });
  }

  send(message: ToWorker): void {
    if (this.#listens) this.#thread?.send(message);
  }

  /** Asks without waiting: {@linkcode answered} does. */
  ask(question: Question): void {
    if (this.#running) this.send({ kind: "ask", question, turn: ++this.#turn });
  }

  /** The answer to the last question; undefined when there is none in time. */
  answered(): unknown {
    return this.#running ? awaitAnswer(this.#mailbox(), this.#turn, ANSWER_MS) : undefined;
  }

  /** Its state after `ask`, former lives included. */
  report(): WorkerReport {
    const fresh = this.answered() as WorkerReport | null | undefined;
    if (fresh !== null && fresh !== undefined) this.#last = fresh;
    return mergeReports([this.#before, this.#last]);
  }

  /** It is of no use any more: ends it, and starts it again if its owner wants that. */
  fail(reason: string): void {
    if (this.#thread === null) return;
    this.#end();
    this.#before = mergeReports([this.#before, countersOf(this.#last)]);
    this.#last = EMPTY_REPORT;
    if (!this.#events.ended(this, reason)) return;
    if (this.#runtime.clock.now() - this.#startedAt >= STABLE_MS) this.#backoff.reset();
    this.#restart = this.#runtime.clock.after(Math.max(FIRST_RESTART_MS, this.#backoff.next()), () => this.start());
  }

  /** Ends it for good. Idempotent. */
  stop(): void {
    this.#restart?.cancel();
    this.#end();
    this.#last = countersOf(this.#last);
  }

  #end(): void {
    this.#thread?.stop();
    this.#thread = null;
    this.#listens = false;
    this.#running = false;
  }

  #heard(message: FromWorker): void {
    switch (message.kind) {
      case "hello":
        this.#listens = true;
        return this.#events.hello(this);
      case "report":
        this.#last = message.report;
        return;
      case "crashed":
        return this.fail(message.reason);
      case "started":
        this.#running = true;
        return this.#events.message(this, message);
      default:
        return this.#events.message(this, message);
    }
  }
}
