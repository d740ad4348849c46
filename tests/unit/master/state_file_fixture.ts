/** A folder with a state in it, and states to put there. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "../../../src/log/logger.ts";
import type { StoredInstance } from "../../../src/master/instance.ts";
import { openState, type OpenStateOptions } from "../../../src/master/state_file/open.ts";
import type { MasterState, StateStore } from "../../../src/master/state_file/types.ts";
import { detectRuntime } from "../../../src/runtime/detect.ts";
import type { Clock, Files, Runtime } from "../../../src/runtime/types.ts";

/** The runtime of these tests. */
export const runtime: Runtime = await detectRuntime();

/** One folder of a test. */
export class StateFolder {
  readonly path: string;
  /** Lines of the log. */
  readonly log: string[] = [];
  files: Files = runtime.files;
  clock: Clock = runtime.clock;

  constructor(path: string) {
    this.path = path;
  }

  get options(): OpenStateOptions {
    const logger = createLogger({
      level: "warn",
      format: "text",
      color: false,
      write: (line) => void this.log.push(line),
      wall: () => 0,
    });
    const { files, clock } = this;
    return { runtime: { files, clock }, directory: this.path, logger, reloadIntervalMs: 3_600_000 };
  }

  open(): Promise<StateStore> {
    return openState(this.options);
  }

  /** Saves states one after another in one run. */
  async run(...states: readonly MasterState[]): Promise<MasterState | null> {
    const store = await this.open();
    try {
      for (const state of states) await store.save(state);
      return store.initial;
    } finally {
      await store.close();
    }
  }

  at(name: string): string {
    return join(this.path, name);
  }

  async names(): Promise<string[]> {
    return (await readdir(this.path)).sort();
  }
}

/** Runs a test in a folder that is removed. */
export async function inStateFolder(test: (folder: StateFolder) => Promise<void>): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), "state_"));
  try {
    await test(new StateFolder(path));
  } finally {
    await rm(path, { recursive: true });
  }
}

/** A state with `count` instances. */
export function stateOf(count: number, change: Partial<MasterState> = {}): MasterState {
  return {
    masterId: "0123456789abcdef",
    alias: "grüße 🚇",
    apiKey: "00112233445566778899aabbccddeeff",
    run: 3,
    wire: "secure",
    instances: Array.from({ length: count }, (_, index) => instanceOf(index)),
    ...change,
  };
}

/** One instance, different in everything for each number. */
export function instanceOf(index: number, counted: number = index): StoredInstance {
  return {
    id: index.toString(16).padStart(8, "0"),
    alias: `instance ${index}`,
    url: `server://secret-${index}@:${10_000 + index}/127.0.0.1:80?log=&&mode=2`,
    restart: index % 2 === 0,
    wanted: index % 3 === 0,
    meta: { peer: { sid: `sid ${index}`, type: "", alias: '"\n' }, tags: { constructor: "kept", __proto: "x" } },
    counters: { tcprx: counted, tcptx: 2 * counted, udprx: 3 * counted, udptx: Number.MAX_SAFE_INTEGER - counted },
  };
}
