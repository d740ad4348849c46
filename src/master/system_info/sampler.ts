/**
 * Samples of the machine, taken in the background while somebody asks for them.
 *
 * @module
 */
import type { Clock, Files, Timer } from "../../runtime/types.ts";
import type { SystemSample } from "../parts.ts";
import { osCpu, osMemory, osUptime } from "./os_figures.ts";
import { cpuPercent, type CpuTicks, parseCpu, parseDisks, parseMemory, parseNetwork, parseUptime } from "./proc.ts";

/** The processors are watched for so long. */
const WINDOW_MS = 100;

/** A sample counts for so long; then comes the next one. */
const KEPT_MS = 2_000;

/** Without a question for so long, sampling rests. */
const INTEREST_MS = 10_000;

/** Options of {@linkcode SystemSampler}. */
export interface SamplerOptions {
  readonly files: Pick<Files, "readText">;
  readonly clock: Clock;
}

/** See the module. What this machine does not tell is 0, an unknown load -1. */
export class SystemSampler {
  readonly #files: Pick<Files, "readText">;
  readonly #clock: Clock;
  #latest: { readonly at: number; readonly sample: SystemSample } | null = null;
  #taking: Promise<SystemSample> | null = null;
  #askedAt = 0;
  #timer: Timer | null = null;
  #endWait: (() => void) | null = null;
  #closed = false;

  constructor({ files, clock }: SamplerOptions) {
    this.#files = files;
    this.#clock = clock;
  }

  /** The latest sample; after a rest, a new one, which takes 100 ms. */
  sample(): Promise<SystemSample> {
    this.#askedAt = this.#clock.now();
    // The next one is due when this one gets old: until it is there, this one will do.
    if (this.#latest !== null && this.#askedAt - this.#latest.at < 2 * KEPT_MS) {
      return Promise.resolve(this.#latest.sample);
    }
    return this.#take();
  }

  /** Stops sampling; who waits gets what is known by now. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = null;
    this.#endWait?.();
  }

  #take(): Promise<SystemSample> {
    return this.#taking ??= this.#measure().finally(() => this.#taking = null);
  }

  async #measure(): Promise<SystemSample> {
    const before = await this.#cpu();
    await this.#window();
    const [after, meminfo, network, disks, uptime] = await Promise.all([
      this.#cpu(),
      this.#read("meminfo"),
      this.#read("net/dev"),
      this.#read("diskstats"),
      this.#read("uptime"),
    ]);
    const sample = {
      cpu: cpuPercent(before, after),
      ...(meminfo === "" ? osMemory() : parseMemory(meminfo)),
      ...parseNetwork(network),
      ...parseDisks(disks),
      sysup: uptime === "" ? osUptime() : parseUptime(uptime),
    };
    this.#latest = { at: this.#clock.now(), sample };
    this.#plan();
    return sample;
  }

  #plan(): void {
    if (this.#closed) return;
    this.#timer?.cancel();
    this.#timer = this.#clock.after(KEPT_MS - WINDOW_MS, () => {
      this.#timer = null;
      if (this.#clock.now() - this.#askedAt < INTEREST_MS) void this.#take();
    });
  }

  #window(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#clock.after(WINDOW_MS, resolve);
      this.#endWait = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  async #cpu(): Promise<CpuTicks | null> {
    const stat = await this.#read("stat");
    return stat === "" ? osCpu() : parseCpu(stat);
  }

  async #read(name: string): Promise<string> {
    return await this.#files.readText(`/proc/${name}`).catch(() => "");
  }
}
