/**
 * Bulk bytes through any number of streams; iperf3 knows no more than 128.
 *
 * @module
 */
import { loadCommand } from "./backends.ts";
import type { Workplace } from "./bench.ts";
import { type Entry, entryOf } from "./ends.ts";
import { freePort } from "./ports.ts";
import { delay } from "./proc_files.ts";
import type { Processes } from "./processes.ts";

const READY_MS = 15_000;
const WARM_UP_MS = 400;
const DRAIN_MS = 20_000;
const DRAIN_STEP_MS = 50;

/** A sink, and the port where it says what it has counted. */
export interface Sink extends Entry {
  readonly counterPort: number;
}

interface Count {
  readonly bytes: number;
  readonly open: number;
}

/** Starts a sink, which an entry has behind it. */
export async function startSink(processes: Processes): Promise<Sink> {
  const [port, counterPort] = [freePort(), freePort()];
  const running = processes.start("bulk sink", loadCommand("bulk_sink", port, counterPort));
  await running.printed("ready", READY_MS);
  return { ...entryOf("bulk sink", port, [running]), counterPort };
}

/** Gbit/s that reach the sink through the entry; returns when the sink is idle again. */
export async function bulkRate(
  place: Workplace,
  path: { readonly entry: Entry; readonly sink: Sink },
  streams: number,
  seconds: number,
): Promise<number> {
  const source = place.processes.start("bulk source", loadCommand("bulk_source", path.entry.port, streams));
  try {
    await source.printed("ready", READY_MS);
    await delay(WARM_UP_MS);
    const [start, before] = [performance.now(), await readCount(path.sink)];
    await delay(seconds * 1000);
    const after = await readCount(path.sink);
    return (after.bytes - before.bytes) * 8 / 1e6 / (performance.now() - start);
  } finally {
    await source.stop();
    await drained(path.sink);
  }
}

/** What is still on its way would slow what is measured next. */
async function drained(sink: Sink): Promise<void> {
  const deadline = performance.now() + DRAIN_MS;
  while ((await readCount(sink)).open > 0 && performance.now() < deadline) await delay(DRAIN_STEP_MS);
}

async function readCount(sink: Sink): Promise<Count> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: sink.counterPort });
  return await new Response(conn.readable).json() as Count;
}
