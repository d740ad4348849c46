/**
 * P4, P5, P7: HTTP requests by wrk, 50 connections, kept alive and closed; P9 while P4 runs.
 *
 * @module
 */
import { startHaproxy, startNginx } from "../backends.ts";
import { startBareLoops, startBarePair } from "../bare.ts";
import { alternate, type Bench, type Contender, type Figures, wanted } from "../bench.ts";
import { type Entry, startSingle, startTunnel } from "../ends.ts";
import { residentMegabytes } from "../proc_files.ts";
import { median, ratioRow, round, type Row, shareOf } from "../rows.ts";
import { type RequestKind, wrk } from "../wrk.ts";

const CONNECTIONS = 50;
const SAMPLE_MS = 200;
/** Least ratio to HAProxy. */
const TUNNEL_RATIO: Readonly<Record<RequestKind, Readonly<Record<0 | 1, number>>>> = {
  "keep-alive": { 0: 0.63, 1: 0.55 },
  close: { 0: 0.55, 1: 0.43 },
};
const SINGLE_RATIO: Readonly<Record<RequestKind, number>> = { "keep-alive": 1.0, close: 0.77 };
const MEMORY_MB: Readonly<Record<0 | 1, number>> = { 0: 100, 1: 120 };

interface Samples {
  readonly perSecond: number[];
  errors: number;
  /** Largest resident memory seen, by process. */
  readonly peak: number[];
}

/** A tunnel and what the runtime reaches in its place. */
interface Tunnel {
  readonly entry: Entry;
  readonly bare: Entry;
}

interface Scene {
  readonly haproxy: Entry;
  readonly tunnels: ReadonlyMap<0 | 1, Tunnel>;
  readonly single: Tunnel | null;
}

export const requests: Figures = {
  ids: ["P4", "P5", "P7", "P9"],
  programs: ["wrk", "nginx-full", "haproxy"],
  async run(bench: Bench): Promise<void> {
    const { processes, ends } = bench;
    const backend = await startNginx(processes, bench.folder);
    const haproxy = await startHaproxy(processes, bench.folder, backend.port);
    const tunnels = new Map<0 | 1, Tunnel>();
    if (wanted(bench, "P4", "P5", "P9")) {
      for (const tls of bench.options.tls) {
        const entry = await startTunnel(processes, ends, { tls, backend: backend.port });
        tunnels.set(tls, { entry, bare: await startBarePair(bench, tls, backend.port) });
      }
    }
    const single = wanted(bench, "P7")
      ? {
        entry: await startSingle(processes, ends, backend.port),
        bare: await startBareLoops(bench, 1, backend.port),
      }
      : null;
    const scene = { haproxy, tunnels, single };
    if (wanted(bench, "P4", "P7", "P9")) await measureKind(bench, "keep-alive", scene);
    if (wanted(bench, "P5", "P7")) await measureKind(bench, "close", scene);
    const started = [...tunnels.values(), ...(single === null ? [] : [single])];
    const entries = [haproxy, ...started.flatMap(({ entry, bare }) => [entry, bare]), backend];
    await Promise.all(entries.map((entry) => entry.stop()));
  },
};

async function measureKind(bench: Bench, kind: RequestKind, { haproxy, tunnels, single }: Scene): Promise<void> {
  const keptAlive = kind === "keep-alive";
  const tunnelId = keptAlive ? "P4" : "P5";
  const withTunnels = wanted(bench, tunnelId) || (keptAlive && wanted(bench, "P9"));
  const measured = [...(withTunnels ? tunnels.values() : []), ...(single === null ? [] : [single])];
  const entries = [haproxy, ...measured.flatMap(({ entry, bare }) => [entry, bare])];
  const all = new Map<Entry, Samples>(entries.map((entry) => [entry, { perSecond: [], errors: 0, peak: [] }]));
  for (const entry of entries) await sample(bench, entry, kind, 1, { perSecond: [], errors: 0, peak: [] });
  const contenders = entries.map((entry): Contender => ({
    name: `wrk ${kind}, ${entry.name}`,
    measure: () => sample(bench, entry, kind, bench.options.seconds, all.get(entry)!),
  }));
  await alternate(bench, contenders);
  const emit = (id: string, { entry, bare }: Tunnel, minimum: number) => {
    const { perSecond: ours, errors } = all.get(entry)!;
    const bareLoop = round(median(all.get(bare)!.perSecond));
    const extra = { ...(errors > 0 ? { errors } : {}), bareLoop };
    bench.emit(ratioRow(id, "requests/s", { ours, haproxy: all.get(haproxy)!.perSecond }, minimum, extra));
  };
  for (const [tls, tunnel] of withTunnels ? tunnels : []) {
    if (wanted(bench, tunnelId)) emit(`${tunnelId}/tls${tls}`, tunnel, TUNNEL_RATIO[kind][tls]);
    if (keptAlive && wanted(bench, "P9")) bench.emit(memoryRow(tls, all.get(tunnel.entry)!.peak));
  }
  if (single !== null && wanted(bench, "P7")) emit(`P7/${kind}`, single, SINGLE_RATIO[kind]);
}

function memoryRow(tls: 0 | 1, peak: readonly number[]): Row {
  const [server, client] = peak as [number, number];
  const value = Math.max(server, client);
  return {
    id: `P9/requests/tls${tls}`,
    pass: value <= MEMORY_MB[tls],
    measured: { value: round(value), unit: "MB", server: round(server), client: round(client) },
    demand: `<= ${MEMORY_MB[tls]} MB per end`,
    comparison: shareOf([value], MEMORY_MB[tls]),
  };
}

async function sample(bench: Bench, entry: Entry, kind: RequestKind, seconds: number, into: Samples): Promise<void> {
  const timer = setInterval(() => {
    entry.pids.forEach((pid, i) => into.peak[i] = Math.max(into.peak[i] ?? 0, residentMegabytes(pid)));
  }, SAMPLE_MS);
  try {
    const { perSecond, errors } = await wrk(bench, entry, { kind, connections: CONNECTIONS, seconds });
    into.perSecond.push(perSecond);
    into.errors += errors;
  } finally {
    clearInterval(timer);
  }
}
