/**
 * One run of an instance: where it is, how far it is, what it counted.
 *
 * @module
 */
import type { Timer } from "../../runtime/types.ts";
import type { Counters, Gauges, InstanceReport } from "../../report/types.ts";
import type { CheckpointDetails } from "./types.ts";
import type { Engine } from "./engine.ts";

/** Nothing. */
export const NO_COUNTERS: Counters = Object.freeze({ tcprx: 0, tcptx: 0, udprx: 0, udptx: 0 });

const NO_REPORT: InstanceReport = Object.freeze({
  mode: 0,
  ping: 0,
  pool: 0,
  tcps: 0,
  udps: 0,
  ...NO_COUNTERS,
  connections: 0,
  rejections: Object.freeze({}),
  weakKey: false,
});

/** What a checkpoint adds. */
export interface Growth extends Pick<CheckpointDetails, "connections" | "rejections"> {
  readonly delta: Counters;
}

/** Nothing new. */
export const NO_GROWTH: Growth = Object.freeze({ delta: NO_COUNTERS, connections: 0, rejections: {} });

/** See the module. */
export class Run {
  readonly number: number;
  /** Its name at the engine. */
  readonly name: string;
  readonly engine: Engine;
  /** `draining`: it was told to stop. */
  phase: "starting" | "running" | "draining" = "starting";
  /** Nothing of it listens any more. */
  released = false;
  /** Report intervals since its last checkpoint. */
  silent = 0;
  /** Gives up waiting for `released`. */
  patience: Timer | null = null;
  /** When it started to run (clock ms). */
  runningSince = 0;
  #last: InstanceReport = NO_REPORT;

  constructor(id: string, number: number, engine: Engine) {
    this.number = number;
    this.name = `${id}-${number}`;
    this.engine = engine;
    engine.runs.set(this.name, this);
  }

  get last(): InstanceReport {
    return this.#last;
  }

  /** Takes a checkpoint. */
  take(report: InstanceReport): Growth {
    const before = this.#last;
    this.#last = report;
    this.silent = 0;
    const reasons = Object.entries(report.rejections);
    return {
      delta: {
        tcprx: grown(before.tcprx, report.tcprx),
        tcptx: grown(before.tcptx, report.tcptx),
        udprx: grown(before.udprx, report.udprx),
        udptx: grown(before.udptx, report.udptx),
      },
      connections: grown(before.connections, report.connections),
      rejections: Object.fromEntries(
        reasons.map(([reason, count]) => [reason, grown(before.rejections[reason] ?? 0, count)] as const)
          .filter(([, count]) => count > 0),
      ),
    };
  }
}

/** Gauges of the run at work, with the sessions of those that drain. */
export function gaugesOf(current: Run | null, draining: Iterable<Run>): Gauges {
  const { mode, ping, pool, tcps, udps } = current?.last ?? NO_REPORT;
  const gauges = { mode, ping, pool, tcps, udps };
  for (const { last } of draining) {
    gauges.tcps += last.tcps;
    gauges.udps += last.udps;
  }
  return gauges;
}

function grown(before: number, now: number): number {
  return Math.max(0, now - before);
}
