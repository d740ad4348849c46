/**
 * One `test` for both runtimes: `Deno.test` (with its leak checks) under Deno, `node:test` elsewhere.
 *
 * @module
 */
import nodeTest from "node:test";
export {
  deepStrictEqual as deepEqual,
  doesNotThrow,
  match,
  notStrictEqual as notEqual,
  ok,
  rejects,
  strictEqual as equal,
  throws,
} from "node:assert/strict";

/** True when the tests run under Deno. */
export const underDeno: boolean = "Deno" in globalThis;

/** Registers one test; `skip` says why it cannot run here. */
export function test(name: string, run: () => void | Promise<void>, options: { skip?: string | undefined } = {}): void {
  const title = options.skip === undefined ? name : `${name} (${options.skip})`;
  if (underDeno) Deno.test({ name: title, fn: run, ignore: options.skip !== undefined });
  else nodeTest(title, { skip: options.skip !== undefined }, run);
}
