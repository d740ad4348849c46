/**
 * Time as both runtimes give it.
 *
 * @module
 */
import type { Clock } from "./types.ts";

/** The real time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, run) {
    const id = setTimeout(run, ms);
    return { cancel: () => clearTimeout(id) };
  },
  every(ms, run) {
    const id = setInterval(run, ms);
    return { cancel: () => clearInterval(id) };
  },
  // No timer does this: the shortest one waits a millisecond.
  soon: (run) => void setImmediate(run),
};
