import fc from "fast-check";
import * as field from "../../../../src/core/contract/fields.ts";
import { parseTimestamp } from "../../../../src/core/contract/timestamp.ts";
import { deepEqual, equal, test } from "../../../harness.ts";
import { WRONG_TIMES } from "./wrong_values.ts";

const { FAULT } = field;

test("parseTimestamp: Z, offsets and fractions", () => {
  const at = Date.UTC(2026, 10, 21, 10, 4, 0);
  equal(parseTimestamp("2026-11-21T10:04:00Z"), at);
  equal(parseTimestamp("2026-11-21T10:04:00.5Z"), at + 500);
  equal(parseTimestamp("2026-11-21T10:04:00.120Z"), at + 120);
  equal(parseTimestamp("2026-11-21T10:04:00.123456789Z"), at + 123);
  equal(parseTimestamp("2026-11-21T15:34:00+05:30"), at);
  equal(parseTimestamp("2026-11-21T02:04:00-08:00"), at);
  equal(parseTimestamp("2026-11-20T23:04:00-11:00"), at);
  equal(parseTimestamp("2024-02-29T00:00:00Z"), Date.UTC(2024, 1, 29));
  equal(parseTimestamp("0001-01-01T00:00:00Z"), -62135596800000);
  equal(parseTimestamp("9999-12-31T23:59:59.999Z"), 253402300799999);
});

test("parseTimestamp: no other spelling, no day that is not in the month", () => {
  for (const text of WRONG_TIMES) equal(parseTimestamp(text), null, text);
});

test("parseTimestamp: reads what toISOString writes", () => {
  const dates = fc.date({ min: new Date(0), max: new Date("9999-12-31T23:59:59.999Z"), noInvalidDate: true });
  fc.assert(fc.property(dates, (date) => equal(parseTimestamp(date.toISOString()), date.getTime())));
});

test("ip: one canonical spelling each", () => {
  const spellings: [string, string][] = [
    ["203.0.113.7", "203.0.113.7"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["::FFFF:CB00:7107", "203.0.113.7"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["2001:0db8::0001", "2001:db8::1"],
    ["::", "::"],
    ["1:0:0:2::3", "1:0:0:2::3"],
    ["0:0:0:0:0:ffff:255.255.255.255", "255.255.255.255"],
  ];
  for (const [text, canonical] of spellings) equal(field.ip.read(text), canonical, text);
});

test("ip: canonical text reads as itself, whatever the bytes", () => {
  fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
    const canonical = field.ip.read(text);
    equal(canonical === FAULT ? text : field.ip.read(canonical), canonical);
  }));
});

test("integer: nothing that is not exact, and no negative zero", () => {
  equal(field.count.read(Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
  equal(Object.is(field.count.read(-0), 0), true);
  for (const value of [2 ** 53, -1, 0.5, NaN, Infinity, "5", 5n, new Number(5), [5], null, true]) {
    equal(field.count.read(value), FAULT);
  }
});

test("text: counts characters, not their halves", () => {
  const two = field.text(2, 2);
  equal(two.read("😀😀"), "😀😀");
  for (const value of ["😀", "😀😀😀", "a", "abc", "\ud800a"]) equal(two.read(value), FAULT);
  const wide = field.text(1, 128);
  equal(wide.read("😀".repeat(128)), "😀".repeat(128));
  equal(wide.read("😀".repeat(129)), FAULT);
});

test("jsonObject: levels, bytes and numbers that JSON does not have", () => {
  const object = field.jsonObject(3, 40);
  deepEqual(object.read({ a: { b: {} } }), { a: { b: {} } });
  equal(object.read({ a: { b: { c: {} } } }), FAULT);
  equal(object.read({ a: [[[]]] }), FAULT);
  equal(object.read({ a: "x".repeat(33) }), FAULT);
  equal(object.read({ a: "ä".repeat(17) }), FAULT);
  equal(object.read({ a: Infinity }), FAULT);
});

test("hostName: names, no addresses", () => {
  equal(field.hostName.read("Node-1.Example.COM"), "node-1.example.com");
  equal(field.hostName.read("localhost"), "localhost");
  equal(field.hostName.read("xn--bcher-kva.test"), "xn--bcher-kva.test");
  equal(field.hostName.read("1.example"), "1.example");
  for (const text of ["", "1.2.3.4", "a..b", ".a", "a.", "-a", "a-", "a_b", "a b", "ü.test", "a".repeat(254)]) {
    equal(field.hostName.read(text), FAULT, text);
  }
});

test("listOf: nothing twice", () => {
  const ids = field.listOf(field.id, 0, 3);
  deepEqual(ids.read([3, 1]), [3, 1]);
  for (const value of [[1, 1], [1, 2, 3, 4], [0], "1", null]) equal(ids.read(value), FAULT);
});
