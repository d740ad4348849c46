/**
 * The main thread of an instance with workers: it starts them, keeps what they share, passes on what they tell each
 * other, and shows them as one.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import type { TunnelConfig } from "../../config/types.ts";
import type { Logger } from "../../log/types.ts";
import type { Runtime, SocketAddress, Timer } from "../../runtime/types.ts";
import { startCheckpoints } from "../checkpoint.ts";
import type { CloseOptions, SessionInfo, TunnelHandle, TunnelStats } from "../types.ts";
import { type Claims, entryClaim, tunnelClaim } from "./claims.ts";
import { LINE_LEVELS } from "./forwarding_logger.ts";
import { mailboxMemory } from "./mailbox.ts";
import { mergeReports } from "./merge_reports.ts";
import type { FromWorker, PeerMessage, PlainError, Question, WorkerReport, WorkerStart } from "./messages.ts";
import { PeerHistory } from "./peer_history.ts";
import { bucketMemory } from "./shared_bucket.ts";
import { freeSlots, slotMemory } from "./shared_slots.ts";
import { WorkerThread } from "./worker_thread.ts";

/** How much longer than its grace a close may take before the threads are ended. */
const CLOSE_MS = 3_000;

/** Options of {@linkcode WorkerGroup}. */
export interface WorkerGroupOptions {
  /** With its mode decided. */
  readonly config: TunnelConfig;
  readonly size: number;
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly onReport?: ((stats: TunnelStats) => void) | undefined;
  /** URL of the module that serves a worker. */
  readonly entry: string;
  readonly claims: Claims;
  readonly secrets: Pick<WorkerStart, "root" | "identity">;
}

/** Something that every worker has to answer. */
interface Round {
  readonly missing: Set<number>;
  readonly done: () => void;
}

/** See the module. */
export class WorkerGroup implements TunnelHandle {
  readonly finished: Promise<void>;
  readonly #options: WorkerGroupOptions;
  readonly #workers: readonly WorkerThread[];
  readonly #mailboxes: SharedArrayBuffer[];
  readonly #slots: SharedArrayBuffer | null;
  readonly #inbound: SharedArrayBuffer | null;
  readonly #outbound: SharedArrayBuffer | null;
  readonly #history: PeerHistory;
  readonly #rounds = new Map<number, Round>();
  readonly #started = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  /** Workers that have not started yet, at first, and that have not closed yet, at last. */
  readonly #waitedFor: Set<number>;
  #isStarted = false;
  #nextRound = 1;
  #opened = 0;
  #closing: Promise<void> | null = null;
  #closed = Promise.withResolvers<void>();
  #stopCheckpoints: () => void = () => {};

  constructor(options: WorkerGroupOptions) {
    const { runtime, config, size, entry } = options;
    const indices = Array.from({ length: size }, (_, index) => index);
    this.#options = options;
    this.finished = this.#ended.promise;
    this.finished.catch(() => {});
    this.#history = new PeerHistory(() => runtime.clock.now());
    this.#slots = config.slots > 0 ? slotMemory(size) : null;
    this.#inbound = config.rateBytesPerSecond > 0 ? bucketMemory() : null;
    this.#outbound = config.rateBytesPerSecond > 0 ? bucketMemory() : null;
    this.#mailboxes = indices.map(() => mailboxMemory());
    this.#waitedFor = new Set(indices);
    this.#workers = indices.map((index) =>
      new WorkerThread(runtime, index, entry, () => this.#mailboxes[index]!, {
        hello: (worker) => this.#welcome(worker),
        message: (worker, message) => this.#heard(worker, message),
        ended: (worker, reason) => this.#lost(worker, reason),
      })
    );
  }

  /** Resolves when all of them have started; rejects when one cannot. */
  async start(): Promise<void> {
    for (const worker of this.#workers) worker.start();
    await this.#started.promise;
    const { config, logger, runtime, onReport } = this.#options;
    const opened = (): number => this.#opened;
    const ledger = {
      get opened() {
        return opened();
      },
    };
    this.#stopCheckpoints = startCheckpoints({ config, logger, runtime, ledger }, {
      stats: () => this.stats(),
      onReport,
    });
  }

  get addr(): SocketAddress | null {
    const { config, claims } = this.#options;
    if (config.role === "server") return claims.bound(tunnelClaim(config))[0] ?? null;
    return this.entries[0] ?? null;
  }

  get entries(): readonly SocketAddress[] {
    const { config, claims } = this.#options;
    const single = config.role === "client" && config.mode === "single";
    if (config.role === "client" && !single && this.#workers.every(({ mode }) => mode !== "forward")) return [];
    return claims.bound(entryClaim(config, single ? [config.tunnel] : config.targets));
  }

  stats(): TunnelStats {
    for (const worker of this.#workers) worker.ask({ about: "report" });
    const { opened, stats } = mergeReports(this.#workers.map((worker): WorkerReport => worker.report()));
    this.#opened = opened;
    return stats;
  }

  sessions(): readonly SessionInfo[] {
    return this.#askAll({ about: "sessions" }).flatMap((answer) => answer as readonly SessionInfo[] ?? []);
  }

  endSession(id: string): boolean {
    return this.#askAll({ about: "end", session: id }).includes(true);
  }

  reload(): Promise<void> {
    return this.#round((round) => {
      for (const worker of this.#workers) worker.send({ kind: "reload", call: round });
    });
  }

  /** Ports are free when the last worker has closed. */
  close({ graceMs, onReleased }: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(graceMs ?? this.#options.config.settings.shutdownTimeoutMs);
    if (onReleased !== undefined) void this.#closing.then(onReleased);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(graceMs: number): Promise<void> {
    const { clock } = this.#options.runtime;
    this.#started.reject(new NodePassError("closed", "Cannot start: the tunnel was closed"));
    this.#started.promise.catch(() => {});
    this.#waitedFor.clear();
    for (const worker of this.#workers) {
      if (!worker.listens) continue;
      this.#waitedFor.add(worker.index);
      worker.send({ kind: "close", graceMs });
    }
    this.#settleWait();
    const timer: Timer = clock.after(graceMs + CLOSE_MS, () => this.#closed.resolve());
    await this.#closed.promise;
    timer.cancel();
    this.#stopCheckpoints();
    for (const worker of this.#workers) worker.stop();
    for (const { done } of this.#rounds.values()) done();
    this.#ended.resolve();
  }

  #welcome(worker: WorkerThread): void {
    const { config, size, logger, runtime, secrets } = this.#options;
    const { key: _, ...keyless } = config;
    // Each worker of a client is a client of its own, with its share of the links.
    const share = config.role === "client" ? { minLinks: Math.ceil(config.minLinks / size) } : {};
    this.#mailboxes[worker.index] = mailboxMemory();
    worker.send({
      kind: "start",
      index: worker.index,
      size,
      config: { ...keyless, ...share },
      ...secrets,
      slots: this.#slots,
      inbound: this.#inbound,
      outbound: this.#outbound,
      mailbox: this.#mailboxes[worker.index]!,
      now: runtime.clock.now(),
      levels: LINE_LEVELS.filter((level) => logger.enabled(level)),
      history: this.#history.list(),
    });
  }

  #heard(worker: WorkerThread, message: FromWorker): void {
    switch (message.kind) {
      case "log":
        return this.#options.logger[message.level](message.message, message.fields);
      case "started":
        if (!this.#isStarted) this.#done(worker);
        return;
      case "closed":
        return this.#done(worker);
      case "claim":
        return void this.#claim(worker, message);
      case "peer":
        return this.#relay(worker, message.message, message.call);
      case "acknowledged":
        return this.#acknowledged(worker, message.acknowledge);
      case "reloaded":
        return this.#acknowledged(worker, message.call);
      case "failed":
        return this.#failed(worker, message.error);
    }
  }

  async #claim(worker: WorkerThread, { call, claim }: Extract<FromWorker, { kind: "claim" }>): Promise<void> {
    try {
      worker.send({ kind: "claimed", call, addresses: await this.#options.claims.claim(claim) });
    } catch (error) {
      const { code, message } = this.#options.runtime.toError(error);
      worker.send({ kind: "unclaimed", call, error: { code, message } });
    }
  }

  /** Passes on what one worker tells the others; answers it once all know. */
  #relay(from: WorkerThread, message: PeerMessage, call: number | null): void {
    const { config } = this.#options;
    if (message.kind === "agreed" && config.role === "server") {
      const refusal = this.#history.refusal(message, config.maxClients);
      if (refusal !== null) {
        if (call !== null) from.send({ kind: "published", call, refusal });
        return;
      }
    }
    this.#history.note(message);
    const others = this.#workers.filter((worker) => worker !== from && worker.listens);
    if (call === null) {
      for (const worker of others) worker.send({ kind: "peer", message, acknowledge: null });
      return;
    }
    void this.#round((round) => {
      for (const worker of others) worker.send({ kind: "peer", message, acknowledge: round });
    }, others).then(() => from.send({ kind: "published", call, refusal: null }));
  }

  /** Resolves when each of `workers` has answered or ended. */
  #round(ask: (round: number) => void, workers = this.#workers.filter(({ listens }) => listens)): Promise<void> {
    if (workers.length === 0) return Promise.resolve();
    const round = this.#nextRound++;
    return new Promise((resolve) => {
      const done = (): void => {
        this.#rounds.delete(round);
        resolve();
      };
      this.#rounds.set(round, { missing: new Set(workers.map(({ index }) => index)), done });
      ask(round);
    });
  }

  #acknowledged(worker: WorkerThread, round: number): void {
    const waiting = this.#rounds.get(round);
    if (waiting?.missing.delete(worker.index) && waiting.missing.size === 0) waiting.done();
  }

  #askAll(question: Question): unknown[] {
    for (const worker of this.#workers) worker.ask(question);
    return this.#workers.map((worker) => worker.answered());
  }

  /** One worker has started, or closed. */
  #done(worker: WorkerThread): void {
    this.#waitedFor.delete(worker.index);
    if (this.#closing !== null) worker.stop();
    this.#settleWait();
  }

  #settleWait(): void {
    if (this.#waitedFor.size > 0) return;
    if (this.#closing !== null) return this.#closed.resolve();
    this.#isStarted = true;
    this.#started.resolve();
  }

  /** An instance says that it cannot run: at the start, or where a restart would not help, that ends all. */
  #failed(worker: WorkerThread, { code, message }: PlainError): void {
    if (this.#closing !== null) return this.#done(worker);
    if (this.#isStarted && !worker.running) return worker.fail(message);
    this.#giveUp(new NodePassError(code, message));
  }

  #lost(worker: WorkerThread, reason: string): boolean {
    if (this.#slots !== null) freeSlots(this.#slots, worker.index);
    for (const round of [...this.#rounds.keys()]) this.#acknowledged(worker, round);
    if (this.#closing !== null) {
      this.#done(worker);
      return false;
    }
    if (!this.#isStarted) {
      this.#giveUp(new NodePassError("io", `Cannot start a worker: ${reason}`));
      return false;
    }
    const message: PeerMessage = { kind: "gone", worker: worker.index };
    this.#history.note(message);
    for (const other of this.#workers) other.send({ kind: "peer", message, acknowledge: null });
    this.#options.logger.error("Worker ended: its sessions are lost, it is started again", {
      worker: worker.index + 1,
      reason,
    });
    return true;
  }

  #giveUp(error: NodePassError): void {
    this.#started.reject(error);
    this.#ended.reject(error);
    void this.close({ graceMs: 0 });
  }
}
