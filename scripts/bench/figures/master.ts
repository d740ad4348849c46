/**
 * P10: a master with 100 running instances, all its processes together; and the start of 200.
 *
 * @module
 */
import { join } from "node:path/posix";
import { followEvents } from "../../../src/command/api_events.ts";
import { startEcho } from "../backends.ts";
import type { Bench, Figures } from "../bench.ts";
import { allConnected, createPairs, type MasterProcess, startMasterProcess, treeMemory } from "../master_scene.ts";
import { limitRow, round } from "../rows.ts";

const PAIRS = 50;
const LINKS = 8;
const MEMORY_MB = 300;
const MORE_PAIRS = 50;
const START_S = 15;
const GIVE_UP_MS = 60_000;

export const master: Figures = {
  ids: ["P10"],
  programs: [],
  async run(bench: Bench): Promise<void> {
    const echo = await startEcho(bench.processes);
    const folder = join(bench.folder, `master-${bench.ends.kind}`);
    bench.say(`master, ${2 * PAIRS} instances`);
    const first = await startMasterProcess(bench, folder);
    const empty = await treeMemory(first);
    await createPairs(first, bench.ends.key, { count: PAIRS, links: LINKS, backend: echo.port });
    await allConnected(first, 2 * PAIRS, LINKS);
    const { resident, proportional, processes } = await treeMemory(first);
    // The runtime's own pages are there once, however many processes run it.
    bench.emit(limitRow("P10/memory", "MB", [proportional], MEMORY_MB, {
      residentSum: round(resident),
      processes,
      withoutInstances: round(empty.proportional),
    }));
    await createPairs(first, bench.ends.key, { count: MORE_PAIRS, links: LINKS, backend: echo.port });
    const all = 2 * (PAIRS + MORE_PAIRS);
    await allConnected(first, all, LINKS);
    const two = await treeMemory(first);
    await first.running.stop();
    bench.say(`master, start of ${all} instances`);
    const begin = performance.now();
    const second = await startMasterProcess(bench, folder);
    const listening = performance.now() - begin;
    await allInEvents(second, all);
    const seconds = (performance.now() - begin) / 1000;
    await allConnected(second, all, LINKS);
    const connected = (performance.now() - begin) / 1000;
    bench.emit(limitRow(`P10/start of ${all}`, "s", [seconds], START_S, {
      listeningMs: Math.round(listening),
      connected: round(connected),
      memoryBefore: round(two.proportional),
    }));
    await second.running.stop();
    await echo.stop();
  },
};

/** Resolves once an event told of each instance that it runs. */
async function allInEvents({ api }: MasterProcess, count: number): Promise<void> {
  const running = new Set<string>();
  const done = new AbortController();
  const timer = setTimeout(() => done.abort(), GIVE_UP_MS);
  await followEvents(api, {
    signal: done.signal,
    lastEventId: null,
    onEvent: ({ instance }) => {
      if (instance?.status === "running") running.add(instance.id);
      if (running.size === count) done.abort();
    },
  });
  clearTimeout(timer);
  if (running.size < count) throw new Error(`Events told of ${running.size} running instances, not of ${count}`);
}
