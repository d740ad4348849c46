/** Recorded state files of Go masters, and what they hold. */
import { readFile } from "node:fs/promises";
import { NodePassError } from "../../../../src/errors.ts";
import { GobBudget } from "../../../../src/master/gob/budget.ts";
import { type GoInstance, readGoInstances } from "../../../../src/master/gob/go_instance.ts";
import type { GobStructDefinition } from "../../../../src/master/gob/types.ts";
import { ok } from "../../../harness.ts";

const folder = new URL("../../../fixtures/gob/", import.meta.url);

/** `state-1.6` and `state-1.14` are real; `state-rich` holds Unicode, negative numbers and 64-bit extremes. */
export const recordings: readonly string[] = ["state-1.6", "state-1.14", "state-rich"];

/** The bytes of a recording. */
export async function recorded(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(new URL(`${name}.gob`, folder)));
}

/** What a recording holds, every number as bigint. */
export async function expected(name: string): Promise<unknown> {
  const text = await readFile(new URL(`${name}.expected.json`, folder), "utf8");
  return revived(JSON.parse(text.replace(/^(\s*"\w+": )(-?\d+)(,?)$/gm, '$1"$2n"$3')));
}

function revived(value: unknown): unknown {
  if (typeof value === "string" && /^-?\d+n$/.test(value)) return BigInt(value.slice(0, -1));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, revived(member)]));
}

/** A struct type. */
export function struct(
  name: string,
  ...fields: readonly (readonly [name: string, type: number])[]
): GobStructDefinition {
  return { kind: "struct", name, fields: fields.map(([name, type]) => ({ name, type })) };
}

/** Message of the error that reading throws: one of ours, or the test fails. */
export function refusal(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    ok(error instanceof NodePassError, String(error));
    return error.message;
  }
  throw new Error("expected a refusal");
}

/** The instances of a state file. */
export function goInstances(bytes: Uint8Array): (readonly [id: string, instance: GoInstance])[] {
  return [...readGoInstances(bytes, new GobBudget(bytes.length))];
}
