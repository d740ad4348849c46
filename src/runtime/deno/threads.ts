/**
 * Threads on Deno: web workers.
 *
 * @module
 */
import { threadName } from "../thread_name.ts";
import type { Thread, ThreadEvents, ThreadParent, Threads } from "../types.ts";

/** What a worker's global scope has and a main thread's has not. */
interface WorkerScope {
  readonly name?: string;
  postMessage(value: unknown): void;
  addEventListener(type: string, handler: (event: Event) => void): void;
}

/** Threads on Deno. */
export const denoThreads: Threads = {
  get processors() {
    return navigator.hardwareConcurrency;
  },
  parent: parentOf(globalThis as unknown as WorkerScope),
  start,
};

function start(entry: string, events: ThreadEvents): Thread {
  const worker = new Worker(entry, { type: "module", name: threadName });
  let stopped = false;
  const stop = (): void => {
    if (stopped) return;
    stopped = true;
    worker.terminate();
  };
  worker.onmessage = (event) => {
    if (!stopped) events.message(event.data);
  };
  worker.onerror = (event) => {
    // Unhandled here, it would end the whole program.
    event.preventDefault();
    if (stopped) return;
    stop();
    events.ended(event.message);
  };
  return {
    send: (value) => {
      if (!stopped) worker.postMessage(value);
    },
    stop,
  };
}

function parentOf(scope: WorkerScope): ThreadParent | null {
  if (scope.name !== threadName) return null;
  return {
    send: (value) => scope.postMessage(value),
    onMessage: (handler) => scope.addEventListener("message", (event) => handler((event as MessageEvent).data)),
    onCrash(handler) {
      const crash = (event: Event, error: unknown): void => {
        // Deno would print it, and the parent reports it anyway.
        event.preventDefault();
        handler(error);
      };
      scope.addEventListener("error", (event) => crash(event, (event as ErrorEvent).error));
      scope.addEventListener("unhandledrejection", (event) => crash(event, (event as PromiseRejectionEvent).reason));
    },
  };
}
