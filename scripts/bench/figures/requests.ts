/**
 * P4, P5, P7: HTTP requests by wrk, 50 connections, kept alive and closed; P9 while P4 runs.
 *
 * @module
 */
import { startBareLoops, startHaproxy, startNginx } from "../backends.ts";
import { alternate, type Bench, type Contender, type Figures, wanted } from "../bench.ts";
import { type Entry, startSingle, startTunnel } from "../ends.ts";
import { residentMegabytes } from "../proc_files.ts";
import { median, ratioRow, round, type Row } from "../rows.ts";

type Kind = "keep-alive" | "close";

const CONNECTIONS = 50;
const SAMPLE_MS = 200;
/** Least ratio to HAProxy. */
const TUNNEL_RATIO: Readonly<Record<Kind, Readonly<Record<0 | 1, number>>>> = {
  "keep-alive": { 0: 0.63, 1: 0.55 },
  close: { 0: 0.55, 1: 0.43 },
};
const SINGLE_RATIO: Readonly<Record<Kind, number>> = { "keep-alive": 1.0, close: 0.77 };
const MEMORY_MB: Readonly<Record<0 | 1, number>> = { 0: 100, 1: 120 };

interface Samples {
  readonly perSecond: number[];
  errors: number;
  /** Largest resident memory seen, by process. */
  readonly peak: number[];
}

export const requests: Figures = {
  ids: ["P4", "P5", "P7", "P9"],
  programs: ["wrk", "nginx-full", "haproxy"],
  async run(bench: Bench): Promise<void> {
    const backend = await startNginx(bench.processes, bench.folder);
    const haproxy = await startHaproxy(bench.processes, bench.folder, backend.port);
    const tunnels = new Map<0 | 1, Entry>();
    if (wanted(bench, "P4", "P5", "P9")) {
      for (const tls of bench.options.tls) {
        tunnels.set(tls, await startTunnel(bench.processes, bench.ends, { tls, backend: backend.port }));
      }
    }
    const single = wanted(bench, "P7") ? await startSingle(bench.processes, bench.ends, backend.port) : null;
    const oneHop = single === null ? null : await startBareLoops(bench.processes, 1, backend.port);
    const twoHops = tunnels.size === 0 ? null : await startBareLoops(bench.processes, 2, backend.port);
    const scene = { haproxy, tunnels, single, oneHop, twoHops };
    if (wanted(bench, "P4", "P7", "P9")) await measureKind(bench, "keep-alive", scene);
    if (wanted(bench, "P5", "P7")) await measureKind(bench, "close", scene);
    const entries = [haproxy, ...tunnels.values(), single, oneHop, twoHops, backend].filter((entry) => entry !== null);
    await Promise.all(entries.map((entry) => entry.stop()));
  },
};

interface Scene {
  readonly haproxy: Entry;
  readonly tunnels: ReadonlyMap<0 | 1, Entry>;
  readonly single: Entry | null;
  /** What the runtime can do at best, as a tunnel without any tunnel would. */
  readonly oneHop: Entry | null;
  readonly twoHops: Entry | null;
}

async function measureKind(bench: Bench, kind: Kind, scene: Scene): Promise<void> {
  const tunnelId = kind === "keep-alive" ? "P4" : "P5";
  const tunnels = wanted(bench, tunnelId) || (kind === "keep-alive" && wanted(bench, "P9"))
    ? scene.tunnels
    : new Map<0 | 1, Entry>();
  const bare = [scene.oneHop, tunnels.size === 0 ? null : scene.twoHops];
  const entries: Entry[] = [scene.haproxy, ...tunnels.values(), scene.single, ...bare].filter((entry) =>
    entry !== null
  );
  const all = new Map<Entry, Samples>(entries.map((entry) => [entry, { perSecond: [], errors: 0, peak: [] }]));
  for (const entry of entries) await wrk(bench, entry, kind, 1, { perSecond: [], errors: 0, peak: [] });
  await alternate(
    bench,
    entries.map((entry): Contender => ({
      name: `wrk ${kind}, ${entry.name}`,
      measure: () => wrk(bench, entry, kind, bench.options.seconds, all.get(entry)!),
    })),
  );
  const haproxy = all.get(scene.haproxy)!.perSecond;
  const emit = (id: string, entry: Entry, minimum: number, bareEntry: Entry | null) => {
    const { perSecond: ours, errors } = all.get(entry)!;
    const loop = bareEntry === null ? undefined : all.get(bareEntry);
    const extra = {
      ...(errors > 0 ? { errors } : {}),
      ...(loop === undefined ? {} : { bareLoop: round(median(loop.perSecond)) }),
    };
    bench.emit(ratioRow(id, "requests/s", { ours, haproxy }, minimum, extra));
  };
  for (const [tls, entry] of scene.tunnels) {
    if (wanted(bench, tunnelId)) emit(`${tunnelId}/tls${tls}`, entry, TUNNEL_RATIO[kind][tls], scene.twoHops);
    if (kind === "keep-alive" && wanted(bench, "P9")) bench.emit(memoryRow(tls, all.get(entry)!.peak));
  }
  if (scene.single !== null) emit(`P7/${kind}`, scene.single, SINGLE_RATIO[kind], scene.oneHop);
}

function memoryRow(tls: 0 | 1, peak: readonly number[]): Row {
  const [server, client] = peak as [number, number];
  const value = Math.max(server, client);
  return {
    id: `P9/requests/tls${tls}`,
    pass: value <= MEMORY_MB[tls],
    measured: { value: round(value), unit: "MB", server: round(server), client: round(client) },
    demand: `<= ${MEMORY_MB[tls]} MB per end`,
  };
}

async function wrk(bench: Bench, entry: Entry, kind: Kind, seconds: number, into: Samples): Promise<void> {
  const header = kind === "close" ? ["-H", "Connection: close"] : [];
  const load = ["wrk", "-t1", `-c${CONNECTIONS}`, `-d${seconds}s`, ...header, `http://127.0.0.1:${entry.port}/`];
  const timer = setInterval(() => {
    entry.pids.forEach((pid, i) => into.peak[i] = Math.max(into.peak[i] ?? 0, residentMegabytes(pid)));
  }, SAMPLE_MS);
  try {
    const text = await bench.processes.run(load, seconds * 1000 + 15_000);
    const rate = /Requests\/sec:\s+([\d.]+)/.exec(text)?.[1];
    if (rate === undefined) throw new Error(`wrk reported no rate:\n${text}`);
    into.perSecond.push(Number(rate));
    into.errors += errorsIn(text);
  } finally {
    clearInterval(timer);
  }
}

/** Failed connections, broken reads and writes, time-outs, and answers other than 2xx and 3xx. */
function errorsIn(text: string): number {
  const sockets = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1) ?? [];
  const answers = /Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? "0";
  return [...sockets, answers].reduce((sum, count) => sum + Number(count), 0);
}
