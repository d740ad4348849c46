/**
 * An early end of a turn of the event loop. libuv takes up to 48 rounds of 1,024 ready sockets each before it looks at
 * timers and at what was deferred: with thousands of busy connections that are many seconds. After a round in which a
 * signal came it goes on to them.
 *
 * @module
 */
import process from "node:process";
import { isMainThread } from "node:worker_threads";

/** One that means nothing to a process which does not ask for it. */
const SIGNAL = "SIGURG";

let listens = false;

/** See `Process.endTurn`. */
export function endTurn(): void {
  // Windows takes few at a time, and signals come to the first thread alone.
  if (process.platform === "win32" || !isMainThread) return;
  if (!listens) process.on(SIGNAL, () => {});
  listens = true;
  process.kill(process.pid, SIGNAL);
}
