/**
 * A supervisor with engines that do what a test says.
 *
 * @module
 */
import type { Status } from "../../../src/master/instance.ts";
import { Supervisor } from "../../../src/master/supervisor/supervisor.ts";
import type { SupervisorOptions } from "../../../src/master/supervisor/types.ts";
import type { EngineLink } from "../../../src/report/engine_link.ts";
import type { EngineCommand, EngineReport } from "../../../src/report/messages.ts";
import type { Counters, Gauges, InstanceReport } from "../../../src/report/types.ts";
import { FakeClock } from "../../fake_clock.ts";
import { LinesLogger } from "../tunnel/forward_fixture.ts";

/** The report interval of these supervisors. */
export const INTERVAL_MS = 5_000;

/** One engine in the hands of a test. */
export class FakeEngine implements EngineLink {
  readonly pid: number;
  readonly ended: Promise<string>;
  readonly commands: EngineCommand[] = [];
  ending = false;
  killed = false;
  readonly report: (report: EngineReport) => void;
  readonly #end: (reason: string) => void;

  constructor(pid: number, report: (report: EngineReport) => void) {
    this.pid = pid;
    this.report = report;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.ended = promise;
    this.#end = resolve;
  }

  send(command: EngineCommand): void {
    this.commands.push(command);
  }

  end(): void {
    this.ending = true;
  }

  kill(): void {
    this.killed = true;
    this.#end("signal SIGKILL");
  }

  /** It is gone; resolves when the supervisor knows. */
  async die(reason: string): Promise<void> {
    this.#end(reason);
    await settled();
  }

  ready(version = "1.0.0"): void {
    this.report({ kind: "ready", pid: this.pid, version });
  }

  /** Names of the runs that were started and not stopped, in order. */
  get started(): string[] {
    const stopped = this.commands.flatMap((command) => command.kind === "stop" ? [command.run] : []);
    return this.commands.flatMap((command) => command.kind === "start" ? [command.run] : [])
      .filter((run) => !stopped.includes(run));
  }

  state(run: string, state: "running" | "error" | "stopped", message = ""): void {
    this.report({ kind: "state", run, state, message, entries: [] });
  }

  checkpoint(run: string, changes: Partial<InstanceReport> = {}): void {
    const none = { mode: 1, ping: 0, pool: 0, tcps: 0, udps: 0, tcprx: 0, tcptx: 0, udprx: 0, udptx: 0 };
    this.report({
      kind: "checkpoint",
      run,
      report: { ...none, connections: 0, rejections: {}, weakKey: false, ...changes },
    });
  }
}

/** Lets promises and microtasks come to their end. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}

/** See the module. */
export class Scene {
  readonly clock: FakeClock = new FakeClock();
  readonly logger: LinesLogger = new LinesLogger();
  readonly engines: FakeEngine[] = [];
  readonly supervisor: Supervisor;
  readonly statuses: { readonly id: string; readonly status: Status; readonly message: string }[] = [];
  readonly checkpoints: {
    readonly id: string;
    readonly gauges: Gauges;
    readonly delta: Counters;
    readonly connections: number;
    readonly rejections: Readonly<Record<string, number>>;
  }[] = [];

  constructor(changes: Partial<SupervisorOptions> = {}) {
    this.supervisor = new Supervisor({
      startEngine: (report) => {
        const engine = new FakeEngine(1_000 + this.engines.length, report);
        this.engines.push(engine);
        return engine;
      },
      engines: 2,
      isolation: "shared",
      settings: { reportIntervalMs: INTERVAL_MS, reloadIntervalMs: 3_600_000, shutdownTimeoutMs: 5_000 },
      clock: this.clock,
      random: { bytes: (length) => new Uint8Array(length), fraction: () => 0.5 },
      logger: this.logger,
      ...changes,
    }, {
      status: (id, status, message) => void this.statuses.push({ id, status, message }),
      checkpoint: (id, gauges, delta, { connections, rejections }) =>
        void this.checkpoints.push({ id, gauges, delta, connections, rejections }),
      log: () => {},
    });
  }

  /** What was told of an instance, in a row. */
  async history(id: string): Promise<string> {
    await settled();
    return this.statuses.filter((each) => each.id === id).map(({ status, message }) =>
      message === "" ? status : `${status}: ${message}`
    ).join(", ");
  }

  /** The engine with this number. */
  engine(index: number): FakeEngine {
    const engine = this.engines[index];
    if (engine === undefined) throw new Error(`engine ${index} was not started`);
    return engine;
  }
}
