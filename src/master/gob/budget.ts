/**
 * Bounds what a stream of values takes in memory, however it was made.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";

/** Bytes of memory for each byte of the file; with the file itself, and what rounding hides, no more than ten. */
const SHARE = 8;
/** What type definitions and a few values take, whatever the size. */
const ALLOWANCE = 32 * 1024;

/** What things take in V8, rounded up; a text takes its characters besides. */
export const COST: Readonly<Record<"number" | "complex" | "bytes" | "text" | "struct" | "map" | "list", number>> =
  Object.freeze({ number: 24, complex: 64, bytes: 208, text: 28, struct: 80, map: 120, list: 32 });
/** A place in a struct. */
export const COST_OF_MEMBER = 8;
/** A place in a list or map, while it grows. */
export const COST_OF_PLACE = 28;

/** Memory of a text. */
export function costOfText(text: string, bytes: number): number {
  // Every character has two bytes as soon as one of them needs two.
  return text === "" ? 0 : COST.text + (text.length === bytes ? bytes : 2 * text.length);
}

/** Memory that may be taken. */
export class GobBudget {
  readonly #limit: number;
  #passing = 0;
  #kept = 0;
  #offset = 0;

  /** @param size bytes of the file */
  constructor(size: number) {
    this.#limit = SHARE * size + ALLOWANCE;
  }

  /**
   * For a value that was read.
   *
   * @throws {NodePassError} code `limit` when there is no more
   */
  take(bytes: number, offset: number): void {
    this.#offset = offset;
    this.#passing += bytes;
    this.#check();
  }

  /**
   * For what is made of it, and stays.
   *
   * @throws {NodePassError} code `limit` when there is no more
   */
  keep(bytes: number): void {
    this.#kept += bytes;
    this.#check();
  }

  /** What was read so far is garbage. */
  forget(): void {
    this.#passing = 0;
  }

  #check(): void {
    if (this.#passing + this.#kept <= this.#limit) return;
    throw new NodePassError("limit", `Byte ${this.#offset}: its values would take many times the memory of the file`);
  }
}
