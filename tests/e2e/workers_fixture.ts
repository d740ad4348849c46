/**
 * Instances with workers whose threads a test can kill.
 *
 * @module
 */
import { defaultSettings } from "../../src/config/settings.ts";
import { parseTunnelUrl } from "../../src/config/tunnel_url.ts";
import type { Runtime, SocketAddress, Thread, ThreadEvents } from "../../src/runtime/types.ts";
import { startWorkerGroup } from "../../src/start/workers.ts";
import type { SessionInfo } from "../../src/tunnel/types.ts";
import { LinesLogger, runtime } from "../unit/tunnel/forward_fixture.ts";
import type { Inside } from "./in_process.ts";
import { ask } from "./visitors.ts";

/** A runtime that remembers the threads that it started. */
export interface MortalThreads {
  readonly runtime: Runtime;
  /** Ends the thread that was started last as `index`, as a crash would. */
  kill(index: number): void;
  readonly started: number;
}

/** Threads of a group are started in the order of their numbers, and again one by one. */
export function mortalThreads(): MortalThreads {
  const threads: { readonly thread: Thread; readonly events: ThreadEvents }[] = [];
  return {
    runtime: {
      ...runtime,
      threads: {
        ...runtime.threads,
        parent: null,
        processors: 2,
        start(entry, events) {
          const thread = runtime.threads.start(entry, events);
          threads.push({ thread, events });
          return thread;
        },
      },
    },
    kill(index) {
      const { thread, events } = threads[index]!;
      thread.stop();
      events.ended("killed by the test");
    },
    get started() {
      return threads.length;
    },
  };
}

/** Starts an instance of two workers on such a runtime. */
export async function startMortal(url: string, threads: MortalThreads, signal?: AbortSignal): Promise<Inside> {
  const logger = new LinesLogger();
  const settings = { ...defaultSettings, workers: 2 };
  const { config } = parseTunnelUrl(url, { settings, strict: true });
  const handle = await startWorkerGroup({ config, size: 2, runtime: threads.runtime, logger, signal });
  return { handle, logger, [Symbol.asyncDispose]: () => handle.close({ graceMs: 0 }) };
}

/** Sessions by the number of their worker. */
export function byWorker(sessions: readonly SessionInfo[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { id } of sessions) {
    const worker = id.split("-")[0]!;
    counts.set(worker, (counts.get(worker) ?? 0) + 1);
  }
  return counts;
}

/** Whether the tunnel answers, asked again and again for a while: something is coming back. */
export async function answersSoon(entry: SocketAddress, ms = 10_000): Promise<boolean> {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    if (await ask(entry, "again").catch(() => "") === "again") return true;
  }
  return false;
}
