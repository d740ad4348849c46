/**
 * Single values of bodies: what is acceptable, in the words of the answer, and the value as the product uses it.
 *
 * @module
 */
import { formatIp, parseIp } from "../../address/ip.ts";
import { parseTimestamp } from "./timestamp.ts";

/** What a field reads as when the value is not acceptable. */
export const FAULT: unique symbol = Symbol("fault");

/** One value of a body. */
export interface Field<T> {
  /** What is expected, for people: "an integer >= 0". */
  readonly expected: string;
  /** The value as it is used. */
  readonly read: (value: unknown) => T | typeof FAULT;
}

/** An integer from `least` to `most`; never from text. */
export function integer(least: number, most: number = Number.MAX_SAFE_INTEGER): Field<number> {
  return {
    expected: most === Number.MAX_SAFE_INTEGER ? `an integer >= ${least}` : `an integer from ${least} to ${most}`,
    read: (value) => Number.isSafeInteger(value) && within(value as number, least, most) ? value as number + 0 : FAULT,
  };
}

/** A finite number from `least` to `most`. */
export function number(least: number, most: number): Field<number> {
  return {
    expected: `a number from ${least} to ${most}`,
    read: (value) => Number.isFinite(value) && within(value as number, least, most) ? value as number : FAULT,
  };
}

function within(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}

/** Which control characters a text may have. */
export type Controls = "none" | "lines" | "all";

const REFUSED: Readonly<Record<Controls, RegExp>> = { none: /\p{Cc}/u, lines: /(?![\t\n\r])\p{Cc}/u, all: /(?!)/ };

/** Text of `least` to `most` characters (code points); control characters only as `controls` allows. */
export function text(least: number, most: number, { controls = "none" }: { controls?: Controls } = {}): Field<string> {
  const refused = REFUSED[controls];
  return {
    expected: `text of ${least} to ${most} characters${controls === "all" ? "" : " without control characters"}`,
    read: (value) =>
      typeof value === "string" && value.isWellFormed() && fits(value, least, most) && !refused.test(value)
        ? value
        : FAULT,
  };
}

function fits(value: string, least: number, most: number): boolean {
  if (value.length <= most && value.length >= least * 2) return true;
  if (value.length > most * 2) return false;
  let count = 0;
  for (const _ of value) count++;
  return count >= least && count <= most;
}

/** Text of a form; `as` changes it to its canonical spelling. */
export function matching(
  form: RegExp,
  expected: string,
  as: (value: string) => string = (value) => value,
): Field<string> {
  return { expected, read: (value) => typeof value === "string" && form.test(value) ? as(value) : FAULT };
}

/** One of a few words. */
export function oneOf<const T extends string>(words: readonly T[]): Field<T> {
  const known = new Set<unknown>(words);
  return {
    expected: `one of ${words.map((word) => `"${word}"`).join(", ")}`,
    read: (value) => known.has(value) ? value as T : FAULT,
  };
}

/** The value, or null; absent counts as null. */
export function nullable<T>(field: Field<T>): Field<T | null> {
  return {
    expected: `${field.expected}, or null`,
    read: (value) => value === null || value === undefined ? null : field.read(value),
  };
}

/** The value, or nothing at all. */
export function optional<T>(field: Field<T>): Field<T | undefined> {
  return { expected: field.expected, read: (value) => value === undefined ? undefined : field.read(value) };
}

/** Identifier of a record. */
export const id: Field<number> = integer(1);

/** A number of bytes, or another count. */
export const count: Field<number> = integer(0);

/** true or false. */
export const flag: Field<boolean> = {
  expected: "true or false",
  read: (value) => typeof value === "boolean" ? value : FAULT,
};

/** A literal IP without zone, canonical afterwards: IPv4-mapped IPv6 becomes IPv4. */
export const ip: Field<string> = {
  expected: "a literal IPv4 or IPv6 address",
  read: (value) => {
    // 45 characters are the longest spelling: eight groups, the last two as IPv4.
    if (typeof value !== "string" || value.length > 45 || value.includes("%")) return FAULT;
    const bytes = parseIp(value);
    return bytes === null ? FAULT : formatIp(bytes);
  },
};

/** A point in time; UTC milliseconds afterwards. */
export const time: Field<number> = {
  expected: "an ISO-8601 timestamp with Z or an offset",
  read: (value) => typeof value === "string" ? timeOf(value) : FAULT,
};

let lastText = "";
let lastTime: number | typeof FAULT = FAULT;

/** The entries of one report mostly carry the same minute. */
function timeOf(value: string): number | typeof FAULT {
  if (value === lastText) return lastTime;
  lastTime = parseTimestamp(value) ?? FAULT;
  lastText = value;
  return lastTime;
}

/** A UUID, in lower case afterwards. */
export const uuid: Field<string> = matching(
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
  "a UUID",
  (value) => value.toLowerCase(),
);

/** Slug of a node. */
export const code: Field<string> = matching(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
  "1 to 64 letters, digits, dots, underscores or hyphens, the first a letter or digit",
);

/** Tag of an inbound or outbound. */
export const tag: Field<string> = matching(
  /^[A-Za-z0-9_.-]{1,64}$/,
  "1 to 64 letters, digits, underscores, dots or hyphens",
);

const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
const HOST_NAME = new RegExp(`^(?=.{1,253}$)(?:${LABEL}\\.)*(?=.*[A-Za-z-])${LABEL}$`);

/** A host name, in lower case afterwards; an IPv4 address is none. */
export const hostName: Field<string> = matching(HOST_NAME, "a host name", (value) => value.toLowerCase());

/** An object of JSON that is no array, at most `depth` levels deep and `bytes` long as JSON. */
export function jsonObject(depth: number, bytes: number): Field<Readonly<Record<string, unknown>>> {
  return {
    expected: `an object of at most ${depth} levels and ${bytes} bytes`,
    read: (value) => isObject(value) && isJson(value, depth) && jsonLength(value) <= bytes ? value : FAULT,
  };
}

/** A list of `least` to `most` values, none of them twice. */
export function listOf<T>(field: Field<T>, least: number, most: number): Field<readonly T[]> {
  return {
    expected: `a list of ${least} to ${most} different items, each ${field.expected}`,
    read: (value) => {
      if (!Array.isArray(value) || value.length < least || value.length > most) return FAULT;
      const items = value.map(field.read).filter((item): item is T => item !== FAULT);
      return items.length === value.length && new Set(items).size === items.length ? items : FAULT;
    },
  };
}

/** An integer as the text of a query, in decimal digits. */
export function digits(least: number, most: number = Number.MAX_SAFE_INTEGER): Field<number> {
  const inner = integer(least, most);
  return {
    expected: inner.expected,
    read: (value) => typeof value === "string" && /^\d{1,16}$/.test(value) ? inner.read(Number(value)) : FAULT,
  };
}

/** An absolute URL of http or https without name and password, at most 2048 characters. */
export const webUrl: Field<string> = {
  expected: "an http or https URL without name and password, of at most 2048 characters",
  read: (value) => typeof value === "string" && value.length <= 2048 && isWebUrl(value) ? value : FAULT,
};

function isWebUrl(text: string): boolean {
  // The parser forgives white space and control characters; whoever stores the text would not.
  if (!URL.canParse(text) || /[\s\p{Cc}]/u.test(text)) return false;
  const { protocol, username, password } = new URL(text);
  return (protocol === "http:" || protocol === "https:") && username === "" && password === "";
}

/** Whether a value is an object and no array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Numbers such as 1e999 come out of JSON as Infinity and would go back in as null. */
function isJson(value: unknown, depth: number): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.values(value).every((inner) => isJson(inner, depth - 1));
}

const encoder = new TextEncoder();

function jsonLength(value: unknown): number {
  return encoder.encode(JSON.stringify(value)).length;
}
