/**
 * P9: resident memory of each end, idle with 64 links and with 1,000 idle sessions.
 *
 * @module
 */
import { loadCommand, startEcho } from "../backends.ts";
import type { Bench, Figures } from "../bench.ts";
import { startTunnel } from "../ends.ts";
import { delay, residentMegabytes } from "../proc_files.ts";
import { round, type Row } from "../rows.ts";

const SETTLE_MS = 3000;
const SESSIONS = 1000;
const IDLE_MB = 60;
const SESSIONS_MB = 120;

export const memory: Figures = {
  ids: ["P9"],
  programs: [],
  async run(bench: Bench): Promise<void> {
    const echo = await startEcho(bench.processes);
    for (const tls of bench.options.tls) {
      bench.say(`memory, tls ${tls}`);
      const entry = await startTunnel(bench.processes, bench.ends, { tls, backend: echo.port });
      await delay(SETTLE_MS);
      bench.emit(memoryRow(`P9/idle/tls${tls}`, entry.pids, IDLE_MB));
      const load = bench.processes.start("idle sessions", loadCommand("idle_sessions", entry.port, SESSIONS));
      await load.printed("ready", 30_000);
      await delay(SETTLE_MS);
      bench.emit(memoryRow(`P9/sessions/tls${tls}`, entry.pids, SESSIONS_MB));
      await load.stop();
      await entry.stop();
    }
    await echo.stop();
  },
};

function memoryRow(id: string, pids: readonly number[], limit: number): Row {
  const [server, client] = pids.map(residentMegabytes) as [number, number];
  const value = Math.max(server, client);
  const measured = { value: round(value), unit: "MB", server: round(server), client: round(client) };
  return { id, pass: value <= limit, measured, demand: `<= ${limit} MB per end` };
}
