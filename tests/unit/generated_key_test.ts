import fc from "fast-check";
import { formatGeneratedKey, parseGeneratedKey } from "../../src/generated_key.ts";
import { deepEqual, equal, match, test } from "../harness.ts";

test("formatGeneratedKey() writes 256 bits that parseGeneratedKey() reads back", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
    const key = formatGeneratedKey(bytes);
    match(key, /^npk1_[A-Za-z0-9_-]{43}$/);
    deepEqual(parseGeneratedKey(key), new Uint8Array(bytes));
  }));
});

test("parseGeneratedKey() refuses other keys and spellings that no generator writes", () => {
  const zeros = `npk1_${"A".repeat(43)}`;
  deepEqual(parseGeneratedKey(zeros), new Uint8Array(32));
  for (
    const text of [
      "",
      "secret",
      zeros.slice(1),
      `${zeros}A`,
      zeros.slice(0, -1),
      `npk1_${"A".repeat(42)}B`,
      ` ${zeros}`,
    ]
  ) {
    equal(parseGeneratedKey(text), null, text);
  }
});
