/**
 * How a thread knows that this program started it, and not somebody who merely uses its modules in a thread.
 *
 * @module
 */

/** Name of a Deno worker, and the mark in the data of a Node one. */
export const threadName = "nodepass-thread";
