import assert from "node:assert/strict";
import fc from "fast-check";
import { cutValue, escapeValue, MAX_VALUE_LENGTH, printableJson, quoteValue } from "../../../src/log/escape.ts";
import { test } from "../../harness.ts";

/** What must never reach a terminal as it is. */
const UNSAFE =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\u{e0000}-\u{e007f}]/u;

const hostile = fc.string({
  maxLength: 1500,
  size: "max",
  unit: fc.oneof(
    fc.string({ minLength: 1, maxLength: 1, unit: "binary" }),
    fc.constantFrom("\n", "\r", "\x1b[31m", "\u202e", "\u2066", "\x00", "\ud800", '"', "\\", " ", "=", "😀"),
  ),
});

test("escapeValue() leaves ordinary text alone", () => {
  assert.equal(
    escapeValue("Tunnel handshaked: 127.0.0.1:1 <-> [::1]:2 in 3ms"),
    "Tunnel handshaked: 127.0.0.1:1 <-> [::1]:2 in 3ms",
  );
  assert.equal(escapeValue("señor 日本 😀"), "señor 日本 😀");
});

test("escapeValue() writes control characters, ANSI and bidi marks as escapes", () => {
  assert.equal(
    escapeValue("a\nb\r\t\x1b[31m\x7f\x85\u202e\u{e0041}\ud800"),
    "a\\nb\\r\\t\\x1b[31m\\x7f\\x85\\u202e\\u{e0041}\\ud800",
  );
});

test("escapeValue() cuts at 1,024 characters without splitting a pair or an escape", () => {
  assert.equal(escapeValue("x".repeat(1024)), "x".repeat(1024));
  assert.equal(escapeValue("x".repeat(1025)), "x".repeat(1023) + "…");
  assert.equal(escapeValue("x".repeat(1022) + "😀😀"), "x".repeat(1022) + "…");
  assert.equal(escapeValue("x".repeat(1020) + "\x1b" + "tail"), "x".repeat(1020) + "…");
  assert.equal(escapeValue("x".repeat(1020) + "\x1b"), "x".repeat(1020) + "\\x1b");
  assert.equal(escapeValue("\n".repeat(1_000_000)).length, 1023);
});

test("escapeValue() is printable and short for any text", () => {
  fc.assert(fc.property(hostile, (text) => {
    const out = escapeValue(text);
    assert.ok(!UNSAFE.test(out));
    assert.ok(out.length <= MAX_VALUE_LENGTH);
  }));
});

test("quoteValue() quotes only what would be ambiguous", () => {
  assert.equal(quoteValue("127.0.0.1:80"), "127.0.0.1:80");
  assert.equal(quoteValue(""), '""');
  assert.equal(quoteValue("a b"), '"a b"');
  assert.equal(quoteValue('x" bytes=1'), '"x\\" bytes=1"');
  assert.equal(quoteValue("a\\nb"), '"a\\\\nb"');
  assert.equal(quoteValue("a\nb"), '"a\\nb"');
});

test("quoteValue() never ends its own quotes and differs for different short texts", () => {
  fc.assert(fc.property(hostile, (text) => {
    const out = quoteValue(text);
    assert.match(out, /^(?:[^\s"=\\]+|"(?:[^"\\]|\\.)*")$/u);
    assert.ok(!UNSAFE.test(out));
  }));
  const short = fc.string({
    maxLength: 20,
    unit: fc.constantFrom("n", "\n", "\\", '"', "x", "0", "a", "\x0a", "\x1b", "1", "b"),
  });
  fc.assert(fc.property(short, short, (a, b) => a === b || quoteValue(a) !== quoteValue(b)));
});

test("cutValue() keeps short text as it is", () => {
  assert.equal(cutValue("a\nb"), "a\nb");
  assert.equal(cutValue("y".repeat(5000)), "y".repeat(1023) + "…");
});

test("printableJson() is printable JSON of the same value", () => {
  fc.assert(fc.property(hostile, (text) => {
    const out = printableJson({ text });
    assert.ok(!UNSAFE.test(out));
    assert.deepEqual(JSON.parse(out), { text });
  }));
});
