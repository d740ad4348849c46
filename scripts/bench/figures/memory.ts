/**
 * P9: resident memory of each end: idle with 64 links, with 1,000 and with 10,000 idle sessions.
 *
 * @module
 */
import { startEcho } from "../backends.ts";
import type { Bench, Figures } from "../bench.ts";
import { startTunnel } from "../ends.ts";
import { mostSessions, openSessions, type Resident, settledMemory } from "../memory_scene.ts";
import { round, type Row, shareOf } from "../rows.ts";

const IDLE_MB = 60;
const SESSIONS = 1000;
const SESSIONS_MB = 120;
const MANY_SESSIONS = 10_000;
const MANY_SESSIONS_MB: Readonly<Record<0 | 1, number>> = { 0: 500, 1: 1200 };

export const memory: Figures = {
  ids: ["P9"],
  programs: [],
  async run(bench: Bench): Promise<void> {
    const echo = await startEcho(bench.processes);
    for (const tls of bench.options.tls) {
      bench.say(`memory, tls ${tls}`);
      const entry = await startTunnel(bench.processes, bench.ends, { tls, backend: echo.port });
      const idle = await settledMemory(entry);
      bench.emit(memoryRow(`P9/idle/tls${tls}`, idle, IDLE_MB));
      const load = await openSessions(bench, entry, SESSIONS);
      bench.emit(memoryRow(`P9/sessions/tls${tls}`, await settledMemory(entry), SESSIONS_MB));
      const sessions = Math.min(MANY_SESSIONS, mostSessions());
      const more = await openSessions(bench, entry, sessions - SESSIONS);
      const full = await settledMemory(entry);
      const extended = {
        sessions,
        server: extend(idle.server, full.server, sessions),
        client: extend(idle.client, full.client, sessions),
      };
      bench.emit(memoryRow(`P9/${MANY_SESSIONS}/tls${tls}`, extended, MANY_SESSIONS_MB[tls]));
      await Promise.all([load.stop(), more.stop()]);
      await entry.stop();
    }
    await echo.stop();
  },
};

/** Memory at 10,000 sessions, on the line from the idle end to what fewer sessions took where descriptors are short. */
function extend(idle: number, full: number, sessions: number): number {
  return idle + (full - idle) * MANY_SESSIONS / sessions;
}

function memoryRow(id: string, resident: Resident & { readonly sessions?: number }, limit: number): Row {
  const { server, client, sessions } = resident;
  const value = Math.max(server, client);
  const measured = { value: round(value), unit: "MB", server: round(server), client: round(client) };
  return {
    id,
    pass: value <= limit,
    measured: sessions === undefined ? measured : { ...measured, sessions },
    demand: `<= ${limit} MB per end`,
    comparison: shareOf([value], limit),
  };
}
