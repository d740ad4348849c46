/**
 * Long lists of small records: reports of nodes come with thousands of them, so they are read without a schema per value.
 *
 * @module
 */
import type { Issue } from "../failure.ts";
import { FAULT, type Field, isObject } from "./fields.ts";

/** More of them tell nobody anything. */
export const MAX_ISSUES: number = 20;

/** The fields of a record. */
export type Shape<T> = { readonly [K in keyof T]-?: Field<T[K]> };

/** Collects what is wrong; whoever adds to it may stop once it is full. */
export class Faults {
  readonly issues: Issue[] = [];

  /** Notes that something else was expected at `path`. */
  add(path: string, expected: string): void {
    if (!this.full) this.issues.push({ path, message: `expected ${expected}` });
  }

  /** Whether it takes no more. */
  get full(): boolean {
    return this.issues.length >= MAX_ISSUES;
  }
}

/**
 * Reads a list of records. Its result means nothing once `faults` has an issue.
 *
 * @param path of the list in its body
 * @param most records that it may have
 */
export function readRows<T>(value: unknown, path: string, shape: Shape<T>, most: number, faults: Faults): T[] {
  const list = readList(value, path, most, faults);
  const keys = Object.keys(shape) as (keyof T & string)[];
  const rows: T[] = [];
  for (let index = 0; index < list.length && !faults.full; index++) {
    rows.push(readRow(list[index], `${path}.${index}`, shape, keys, faults));
  }
  return rows;
}

/** A list of at most `most` values; empty where it is none. */
export function readList(value: unknown, path: string, most: number, faults: Faults): readonly unknown[] {
  if (Array.isArray(value) && value.length <= most) return value;
  faults.add(path, `a list of at most ${most} items`);
  return [];
}

function readRow<T>(
  value: unknown,
  path: string,
  shape: Shape<T>,
  keys: readonly (keyof T & string)[],
  faults: Faults,
): T {
  const row: Partial<T> = {};
  if (!isObject(value)) {
    faults.add(path, "an object");
    return row as T;
  }
  for (const key of keys) {
    const field = shape[key];
    const read = field.read(value[key]);
    if (read === FAULT) faults.add(`${path}.${key}`, field.expected);
    else row[key] = read;
  }
  return row as T;
}

/** One record. */
export function readRecord<T>(value: unknown, path: string, shape: Shape<T>, faults: Faults): T {
  return readRow(value, path, shape, Object.keys(shape) as (keyof T & string)[], faults);
}
