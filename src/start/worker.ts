/**
 * Where a worker thread starts (`NP_WORKERS` above 1).
 *
 * The thread runs the module that this one is part of, whatever that is: this file among the sources and in the npm
 * package, the whole bundle where everything is one file. A bundle's own main part must therefore do nothing in a
 * worker: `cli.ts` asks `runtime.threads.parent` and loads this module instead of running the command.
 *
 * @module
 */
import { detectRuntime } from "../runtime/detect.ts";
import { serveWorker } from "../tunnel/workers/serve_worker.ts";
import { startRole } from "./role.ts";

/** URL of the module that a worker thread runs. */
export const workerEntry: string = import.meta.url;

/** What Deno must be allowed to read so that a thread can load its modules; null when they are not files. */
export function workerModules(): string | null {
  const entry = new URL(workerEntry);
  if (entry.protocol !== "file:") return null;
  // Among its sources the thread loads all of them, in a bundle that one file.
  const place = /\/start\/worker\.[jt]s$/.test(entry.pathname) ? new URL("..", entry) : entry;
  return decodeURIComponent(place.pathname).replace(/^\/(?=[A-Za-z]:)/, "").replace(/\/$/, "");
}

const runtime = await detectRuntime();
if (runtime.threads.parent !== null) serveWorker(runtime.threads.parent, runtime, startRole);
