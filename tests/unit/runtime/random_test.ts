import { systemRandom } from "../../../src/runtime/random.ts";
import { equal, ok, test } from "../../harness.ts";

test("systemRandom: bytes are given once, whatever their number", () => {
  const seen = new Set<string>();
  let count = 0;
  for (let round = 0; round < 500; round++) {
    for (const length of [8, 13, 16, 32, 64, 65]) {
      const bytes = systemRandom.bytes(length);
      equal(bytes.length, length);
      equal(bytes.buffer.byteLength, length);
      seen.add(bytes.slice(0, 8).join());
      count++;
    }
  }
  equal(seen.size, count);
  ok(systemRandom.bytes(100_000).some((byte) => byte !== 0));
  equal(systemRandom.bytes(0).length, 0);
});
