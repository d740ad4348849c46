import fc from "fast-check";
import { parseJson } from "../../../../src/core/contract/json.ts";
import { isFailure } from "../../../../src/core/failure.ts";
import { deepEqual, equal, test, throws } from "../../../harness.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function refuses(bytes: Uint8Array, why: RegExp): void {
  throws(() => parseJson(bytes), (error) => isFailure(error, "VALIDATION_FAILED") && why.test(error.message));
}

test("parseJson: of equal keys the last one counts", () => {
  deepEqual(parseJson(bytesOf('{"a":1,"b":2,"a":3}')), { a: 3, b: 2 });
});

test("parseJson: no byte order mark, no UTF-16, no broken UTF-8", () => {
  refuses(new Uint8Array([0xef, 0xbb, 0xbf, ...bytesOf("{}")]), /byte order mark/);
  refuses(new Uint8Array([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]), /UTF-8/);
  refuses(new Uint8Array([0x22, 0xc3, 0x28, 0x22]), /UTF-8/);
  // A surrogate as three bytes, and an overlong slash.
  refuses(new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22]), /UTF-8/);
  refuses(new Uint8Array([0x22, 0xc0, 0xaf, 0x22]), /UTF-8/);
});

test("parseJson: what JavaScript knows and JSON does not", () => {
  for (const text of ["", "NaN", "Infinity", "-Infinity", "undefined", "{a:1}", "[1,]", "'a'", "01", "+1", "{}{}"]) {
    refuses(bytesOf(text), /expected JSON/);
  }
});

test("parseJson: half a character is refused wherever it is, a whole one is not", () => {
  for (
    const text of [
      String.raw`"\ud800"`,
      String.raw`"\uDC00"`,
      String.raw`"\ud83dx\ude00"`,
      String.raw`"\ud83d\n\ude00"`,
      String.raw`"\ud83d\\ude00"`,
      String.raw`"\ude00\ud83d"`,
      String.raw`"\ud83d\ud83d\ude00"`,
      String.raw`"\ud83d\ude00\ude00"`,
      String.raw`{"\ud800":1}`,
      String.raw`[["😀\ude00"]]`,
    ]
  ) refuses(bytesOf(text), /lone surrogates/);
  equal(parseJson(bytesOf(String.raw`"\ud83d\ude00"`)), "😀");
  equal(parseJson(bytesOf(String.raw`"\uD83D\uDE00\ud83d\ude00"`)), "😀😀");
  equal(parseJson(bytesOf(String.raw`"\\ud800"`)), String.raw`\ud800`);
  equal(parseJson(bytesOf(String.raw`"\\\\ud800"`)), String.raw`\\ud800`);
});

test("parseJson: agrees with isWellFormed on every string of units", () => {
  const units = fc.array(fc.oneof(fc.integer({ min: 0xd7fe, max: 0xe001 }), fc.constantFrom(0x5c, 0x75, 0x41)));
  fc.assert(fc.property(units, (codes) => {
    const text = String.fromCharCode(...codes);
    const json = `"${codes.map((code) => `\\u${code.toString(16).padStart(4, "0")}`).join("")}"`;
    if (text.isWellFormed()) equal(parseJson(bytesOf(json)), text);
    else refuses(bytesOf(json), /lone surrogates/);
  }));
});

test("parseJson: however deep it is, the answer is no crash", () => {
  const depth = 200_000;
  refuses(bytesOf("[".repeat(depth)), /expected JSON/);
  parseJson(bytesOf("[".repeat(2_000) + "]".repeat(2_000)));
});

test("parseJson: bytes of any kind are JSON or a refusal", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
    try {
      parseJson(bytes);
    } catch (error) {
      equal(isFailure(error, "VALIDATION_FAILED"), true);
    }
  }));
});
