/**
 * Bounds what a stream of values takes in memory, however it was made.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";

/** Bytes of memory for each byte of the file; the rest up to ten are for what the garbage collector has not seen. */
const SHARE = 6;
/** What type definitions of a small file take. */
const ALLOWANCE = 32 * 1024;

/** What things take in V8, rounded up. */
export const COST: Readonly<Record<"number" | "complex" | "bytes" | "text" | "struct" | "map" | "list", number>> =
  Object
    .freeze({ number: 24, complex: 64, bytes: 208, text: 32, struct: 112, map: 160, list: 48 });
/** A place in a list, and the one that it had while the list grew. */
export const COST_OF_PLACE = 20;

/** Memory that may be taken. */
export class GobBudget {
  #left: number;

  /** @param size bytes of the file */
  constructor(size: number) {
    this.#left = SHARE * size + ALLOWANCE;
  }

  /** @throws {NodePassError} code `limit` when it is used up */
  take(bytes: number, offset: number): void {
    this.#left -= bytes;
    if (this.#left < 0) {
      throw new NodePassError("limit", `Byte ${offset}: its values would take many times the memory of the file`);
    }
  }
}
