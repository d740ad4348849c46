/**
 * P11: from starting the command to a tunnel port that accepts.
 *
 * @module
 */
import type { Bench, Figures } from "../bench.ts";
import { freePort } from "../ports.ts";
import { delay } from "../proc_files.ts";
import { limitRow } from "../rows.ts";

const LIMIT_MS = 250;
const GIVE_UP_MS = 10_000;

export const coldStart: Figures = {
  ids: ["P11"],
  programs: [],
  async run(bench: Bench): Promise<void> {
    for (const tls of bench.options.tls) {
      const samples: number[] = [];
      // The first start fills the runtime's module cache.
      for (let rep = -1; rep < bench.options.reps * 2; rep++) {
        const ms = await start(bench, tls);
        if (rep >= 0) samples.push(ms);
      }
      bench.emit(limitRow(`P11/tls${tls}`, "ms", samples, LIMIT_MS));
    }
  },
};

async function start(bench: Bench, tls: 0 | 1): Promise<number> {
  const [tunnel, entry] = [freePort(), freePort()];
  const url = `server://${bench.ends.key}@127.0.0.1:${tunnel}/127.0.0.1:${entry}?tls=${tls}&mode=1&log=error`;
  const begin = performance.now();
  const running = bench.processes.start("server", [...bench.ends.command, url]);
  try {
    while (!await accepts(tunnel)) {
      if (performance.now() - begin > GIVE_UP_MS) throw new Error(`The server never listened\n${running.output()}`);
      await delay(1);
    }
    return performance.now() - begin;
  } finally {
    await running.stop();
  }
}

async function accepts(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}
