import fc from "fast-check";
import { LineReader } from "../../../src/report/line_reader.ts";
import { deepEqual, equal, test, throws } from "../../harness.ts";

const encoder = new TextEncoder();

test("LineReader gives the same lines however the bytes are cut", () => {
  const line = fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\n", ""));
  fc.assert(fc.property(fc.array(line), fc.array(fc.integer({ min: 1, max: 9 })), (lines, cuts) => {
    const bytes = encoder.encode(lines.map((each) => `${each}\n`).join(""));
    const read: string[] = [];
    const reader = new LineReader((each) => read.push(each));
    const room = new Uint8Array(9);
    for (let at = 0, cut = 0; at < bytes.length; cut++) {
      const part = bytes.subarray(at, at + (cuts[cut % cuts.length] ?? 9));
      // The bytes are only lent.
      room.set(part);
      reader.push(room.subarray(0, part.length));
      room.fill(0);
      at += part.length;
    }
    deepEqual(read, lines.map((each) => new TextDecoder().decode(encoder.encode(each))));
  }));
});

test("LineReader holds back what has no newline yet", () => {
  const read: string[] = [];
  const reader = new LineReader((line) => read.push(line));
  reader.push(encoder.encode("half"));
  equal(read.length, 0);
  reader.push(encoder.encode(" and half\nrest"));
  deepEqual(read, ["half and half"]);
});

test("LineReader refuses a line that is longer than agreed, at its first byte too many", () => {
  const reader = new LineReader(() => {}, 10);
  reader.push(encoder.encode("0123456789\n0123456789"));
  throws(() => reader.push(encoder.encode("0")), { code: "protocol" });
});
