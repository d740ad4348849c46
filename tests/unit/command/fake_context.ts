/** A process without a process: arguments in, output and exit code out. */
import type { CommandContext, ExitCode, StartTunnel } from "../../../src/command/context.ts";
import { runCommand } from "../../../src/command/run_command.ts";
import type { TunnelConfig } from "../../../src/config/types.ts";
import { NodePassError } from "../../../src/errors.ts";
import type { Runtime, SignalName } from "../../../src/runtime/types.ts";
import { FakeClock } from "../../fake_clock.ts";
import type { TunnelHandle } from "../../../src/tunnel/types.ts";

/** One tunnel that a command started. */
export class FakeTunnel {
  readonly config: TunnelConfig;
  readonly end: PromiseWithResolvers<void> = Promise.withResolvers();
  graceMs: number | null = null;
  closed = false;
  reloads = 0;
  drained: Promise<void> = Promise.resolve();

  constructor(config: TunnelConfig) {
    this.config = config;
  }

  handle(): TunnelHandle {
    return {
      finished: this.end.promise,
      reload: () => {
        this.reloads++;
        return Promise.resolve();
      },
      close: async ({ graceMs }: { graceMs?: number } = {}) => {
        this.closed = true;
        this.graceMs = graceMs ?? null;
        await this.drained;
        this.end.resolve();
      },
    } as unknown as TunnelHandle;
  }
}

/** Everything a command sees of the world. */
export class FakeWorld {
  stdout = "";
  stderr = "";
  title = "";
  env: Record<string, string> = {};
  files: Record<string, string> = {};
  columns = 80;
  terminal = false;
  readonly clock: FakeClock = new FakeClock(0);
  readonly tunnels: FakeTunnel[] = [];
  startError: ((config: TunnelConfig) => Error | null) | null = null;
  #signals = new Map<SignalName, Set<() => void>>();
  #waiting: { readonly met: () => boolean; readonly resolve: () => void }[] = [];

  /** Runs a command to its end. */
  run(...args: string[]): Promise<ExitCode> {
    return runCommand(args, this.context());
  }

  context(): CommandContext {
    const startTunnel: StartTunnel = (config) => {
      const error = this.startError?.(config) ?? null;
      if (error !== null) return Promise.reject(error);
      const tunnel = new FakeTunnel(config);
      this.tunnels.push(tunnel);
      this.#changed();
      return Promise.resolve(tunnel.handle());
    };
    return { startTunnel, runtime: this.#runtime() };
  }

  signal(name: SignalName): void {
    for (const handler of [...(this.#signals.get(name) ?? [])]) handler();
  }

  /** How many handlers of signals are installed. */
  get handlers(): number {
    return [...this.#signals.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** Resolves once the world looks like this; looked at after each change. */
  until(met: () => boolean): Promise<void> {
    if (met()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ met, resolve }));
  }

  #changed(): void {
    const met = this.#waiting.filter((waiter) => waiter.met());
    this.#waiting = this.#waiting.filter((waiter) => !met.includes(waiter));
    for (const { resolve } of met) resolve();
  }

  #runtime(): Runtime {
    return {
      name: "deno",
      files: {
        readText: (path: string) => {
          const text = this.files[path];
          if (text !== undefined) return Promise.resolve(text);
          return Promise.reject(new NodePassError("not_found", `Cannot read ${path}: it does not exist`));
        },
      },
      random: { bytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)), fraction: () => 0.5 },
      clock: this.clock,
      process: {
        env: (name: string) => this.env[name],
        stdout: (text: string) => {
          this.stdout += text;
          this.#changed();
        },
        stderr: (text: string) => {
          this.stderr += text;
          this.#changed();
        },
        stdoutIsTerminal: this.terminal,
        columns: this.columns,
        setTitle: (title: string) => {
          this.title = title;
        },
        onSignal: (name: SignalName, handler: () => void) => {
          const handlers = this.#signals.get(name) ?? new Set();
          this.#signals.set(name, handlers.add(handler));
          return () => void handlers.delete(handler);
        },
      },
    } as unknown as Runtime;
  }
}
