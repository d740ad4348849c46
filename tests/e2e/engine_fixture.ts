/**
 * A supervisor with real engines, and what it told.
 *
 * @module
 */
import { defaultSettings } from "../../src/config/settings.ts";
import type { Settings } from "../../src/config/types.ts";
import type { Status } from "../../src/master/instance.ts";
import type { CheckpointDetails, InstanceSupervisor, SupervisorEvents } from "../../src/master/supervisor/types.ts";
import type { Counters, Gauges } from "../../src/report/types.ts";
import { startSupervisor } from "../../src/start/supervisor.ts";
import { LinesLogger, runtime } from "../unit/tunnel/forward_fixture.ts";
import { until } from "./load.ts";

/** What was told of one instance. */
export class Told {
  readonly statuses: { readonly status: Status; readonly message: string; readonly at: number }[] = [];
  readonly lines: string[] = [];
  gauges: Gauges = { mode: 0, ping: 0, pool: 0, tcps: 0, udps: 0 };
  counters: Counters = { tcprx: 0, tcptx: 0, udprx: 0, udptx: 0 };
  checkpoints = 0;
  weakKey = false;

  get status(): Status | null {
    return this.statuses.at(-1)?.status ?? null;
  }

  /** All statuses in a row. */
  get history(): string {
    return this.statuses.map(({ status }) => status).join(" ");
  }
}

/** Options of {@linkcode supervised}. */
export interface SupervisedOptions {
  /** 0: in this process. @default 1 */
  readonly engines?: number;
  readonly isolation?: "shared" | "process";
  /** Of the supervisor and of engines in this process. */
  readonly settings?: Partial<Settings>;
}

/** See the module. Disposing ends everything at once. */
export class Supervised implements AsyncDisposable {
  readonly supervisor: InstanceSupervisor;
  readonly logger: LinesLogger = new LinesLogger();
  readonly #told = new Map<string, Told>();

  constructor({ engines = 1, isolation = "shared", settings = {} }: SupervisedOptions = {}) {
    const events: SupervisorEvents = {
      status: (id, status, message) => void this.of(id).statuses.push({ status, message, at: performance.now() }),
      checkpoint: (id, gauges, delta, { weakKey }: CheckpointDetails) => {
        const told = this.of(id);
        told.gauges = gauges;
        told.checkpoints++;
        told.weakKey = weakKey;
        const { tcprx, tcptx, udprx, udptx } = told.counters;
        told.counters = {
          tcprx: tcprx + delta.tcprx,
          tcptx: tcptx + delta.tcptx,
          udprx: udprx + delta.udprx,
          udptx: udptx + delta.udptx,
        };
      },
      log: (id, line) => void this.of(id).lines.push(line),
    };
    this.supervisor = startSupervisor({
      runtime,
      settings: { ...defaultSettings, ...settings },
      logger: this.logger,
      engines,
      isolation,
    }, events);
  }

  of(id: string): Told {
    let told = this.#told.get(id);
    if (told === undefined) this.#told.set(id, told = new Told());
    return told;
  }

  /** Waits until an instance has this status. */
  async reaches(id: string, status: Status, ms = 20_000): Promise<void> {
    try {
      await until(`instance ${id} is ${status}`, () => this.of(id).status === status, ms);
    } catch (error) {
      const { statuses, lines } = this.of(id);
      throw new Error(`${error}\n${JSON.stringify(statuses)}\n${lines.join("\n")}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.supervisor.close({ graceMs: 0 });
  }
}

/** Sends a signal to a process. */
export async function signalTo(pid: number, name: "KILL" | "STOP" | "CONT"): Promise<void> {
  await runtime.processes.spawn({ command: "kill", args: [`-${name}`, String(pid)], env: {} }).exited;
}

/** A forwarder to a target. */
export function forwarderUrl(port: number, target: string, query = ""): string {
  return `client://127.0.0.1:${port}/${target}?mode=1&${query}`;
}
