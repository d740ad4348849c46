/**
 * Threads on `node:worker_threads`.
 *
 * @module
 */
import process from "node:process";
import { messageOf } from "../../errors.ts";
import { threadName } from "../thread_name.ts";
import type { Thread, ThreadEvents, ThreadParent, Threads } from "../types.ts";

/** Name of the script inside a single executable, see `scripts/package/executables.ts`. */
const EMBEDDED_SCRIPT = "nodepass";

/** Threads on Node. */
export const nodeThreads: Threads = {
  get processors() {
    return navigator.hardwareConcurrency;
  },
  get parent() {
    return parentOf();
  },
  start,
};

/** Loaded when it is asked for: this adapter is part of the Deno one too. */
function workerThreads(): typeof import("node:worker_threads") {
  return process.getBuiltinModule("node:worker_threads");
}

function start(entry: string, events: ThreadEvents): Thread {
  const { Worker } = workerThreads();
  const script = embeddedScript();
  const worker = script === null
    ? new Worker(new URL(entry), { workerData: threadName })
    : new Worker(script, { eval: true, workerData: threadName });
  let over = false;
  let reason = "it exited";
  worker.on("message", (value) => {
    if (!over) events.message(value);
  });
  worker.on("error", (error) => reason = messageOf(error));
  worker.on("exit", () => {
    if (over) return;
    over = true;
    events.ended(reason);
  });
  return {
    send: (value) => {
      if (!over) worker.postMessage(value);
    },
    stop() {
      if (over) return;
      over = true;
      void worker.terminate();
    },
  };
}

/** A single executable has no module files: its own script, embedded once more as text, is what a thread runs. */
function embeddedScript(): string | null {
  const sea = process.getBuiltinModule("node:sea");
  return sea?.isSea() ? sea.getAsset(EMBEDDED_SCRIPT, "utf8") : null;
}

function parentOf(): ThreadParent | null {
  const { parentPort: port, workerData } = workerThreads();
  if (port === null || workerData !== threadName) return null;
  return {
    send: (value) => port.postMessage(value),
    onMessage: (handler) => void port.on("message", handler),
    // The parent is told by its "error" event.
    onCrash: () => {},
  };
}
