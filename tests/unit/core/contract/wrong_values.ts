/**
 * Values that a field must refuse, by what the field is.
 *
 * @module
 */
import fc from "fast-check";

/** Values of JSON that are none of these types. */
function not(...types: ("number" | "string" | "boolean" | "null" | "array" | "object")[]): fc.Arbitrary<unknown>[] {
  const all = {
    number: fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
    string: fc.oneof(fc.string(), fc.integer().map(String)),
    boolean: fc.boolean(),
    null: fc.constant(null),
    array: fc.array(fc.jsonValue(), { maxLength: 3 }),
    object: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 }),
  };
  return Object.entries(all).filter(([type]) => !(types as string[]).includes(type)).map(([, values]) => values);
}

const CONTROL = "\u0000\u0001\u0007\u001b\u007f\u0085";

/** An integer of `least` to `most`. */
export function integer(least: number, most: number = Number.MAX_SAFE_INTEGER): fc.Arbitrary<unknown> {
  return fc.oneof(
    ...not("number"),
    fc.integer({ max: least - 1 }),
    fc.double({ noInteger: true, noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(Number.MAX_SAFE_INTEGER + 1, 2 ** 64, 1e300, least - 1, least + 0.5),
    most === Number.MAX_SAFE_INTEGER ? fc.constant(2 ** 53) : fc.integer({ min: most + 1, max: 2 ** 31 - 1 }),
  );
}

/** The same, or null. */
export function nullableInteger(least: number): fc.Arbitrary<unknown> {
  return integer(least).filter((value) => value !== null);
}

/** Text of `least` to `most` characters without control characters. */
export function text(least: number, most: number): fc.Arbitrary<unknown> {
  return fc.oneof(
    ...not("string"),
    fc.string({ minLength: most + 1, maxLength: most + 50, unit: "grapheme-ascii" }),
    fc.tuple(fc.string({ maxLength: 3 }), fc.constantFrom(...CONTROL)).map(([before, control]) => before + control),
    ...(least > 0 ? [fc.constant("")] : []),
  );
}

/** Text that is long enough and may have every character. */
export function freeText(most: number): fc.Arbitrary<unknown> {
  return fc.oneof(...not("string"), fc.constant(""), fc.string({ minLength: most + 1, maxLength: most + 20 }));
}

/** Text of one form. */
export function form(pattern: RegExp, ...more: string[]): fc.Arbitrary<unknown> {
  return fc.oneof(
    ...not("string"),
    fc.string().filter((value) => !pattern.test(value)),
    ...(more.length === 0 ? [] : [fc.constantFrom(...more)]),
  );
}

/** A slug. */
export const code: fc.Arbitrary<unknown> = form(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
  "-a",
  ".",
  "a b",
  "é",
  "a".repeat(65),
  "a\n",
);

/** A tag. */
export const tag: fc.Arbitrary<unknown> = form(/^[A-Za-z0-9_.-]{1,64}$/, "a>>>b", "a b", "a\n", "a".repeat(65));

const WRONG_IPS = [
  "",
  "1.2.3",
  "1.2.3.4.5",
  "256.1.1.1",
  "01.2.3.4",
  " 1.2.3.4",
  "1.2.3.4\n",
  "[::1]",
  "::1%eth0",
  ":::",
  "1::2::3",
  "12345::",
  "::ffff:1.2.3.256",
  "localhost",
  "0x7f.1",
];

/** A literal IP. */
export const ip: fc.Arbitrary<unknown> = fc.oneof(...not("string"), fc.constantFrom(...WRONG_IPS));

/** Texts that are no timestamps. */
export const WRONG_TIMES: readonly string[] = [
  "",
  "2026-11-21",
  "2026-11-21T10:04:00",
  "2026-11-21 10:04:00Z",
  "2026-02-30T00:00:00Z",
  "2025-02-29T00:00:00Z",
  "2026-13-01T00:00:00Z",
  "2026-00-01T00:00:00Z",
  "2026-01-00T00:00:00Z",
  "2026-11-21T24:00:00Z",
  "2026-11-21T10:60:00Z",
  "2026-11-21T10:04:60Z",
  "2026-11-21T10:04:00.Z",
  "2026-11-21T10:04:00+1:00",
  "2026-11-21T10:04:00+24:00",
  "2026-11-21T10:04:00+01:60",
  "2026-11-21T10:04:00z",
  "+002026-11-21T10:04:00Z",
  "1795255440000",
  "yesterday",
  "2026-11-21T10:04:00Z\n",
];

/** A timestamp. */
export const time: fc.Arbitrary<unknown> = fc.oneof(...not("string"), fc.constantFrom(...WRONG_TIMES));

/** One of these words. */
export function word(...words: string[]): fc.Arbitrary<unknown> {
  return fc.oneof(...not("string"), fc.string().filter((value) => !words.includes(value.toLowerCase())));
}

/** true or false. */
export const flag: fc.Arbitrary<unknown> = fc.oneof(...not("boolean"));

/** An object. */
export const object: fc.Arbitrary<unknown> = fc.oneof(...not("object"));

/** A list of at most `most` items; what is in them is looked at elsewhere. */
export function list(most: number, item: unknown): fc.Arbitrary<unknown> {
  return fc.oneof(...not("array"), fc.constant(Array.from({ length: most + 1 }, () => item)));
}
