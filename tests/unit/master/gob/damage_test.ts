/** Files of real masters with bits flipped, bytes cut and numbers blown up. */
import { NodePassError } from "../../../../src/errors.ts";
import { fromGoState } from "../../../../src/master/gob/go_state.ts";
import { systemRandom } from "../../../../src/runtime/random.ts";
import { ok, test } from "../../../harness.ts";
import { recorded, recordings } from "./fixtures.ts";

const ROUNDS = 10_000;

/** Numbers that look random and are the same each time. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

test(`fromGoState() reads or refuses ${ROUNDS} damaged files, each at once`, async () => {
  const files = await Promise.all(recordings.map(recorded));
  const random = numbers(1_14);
  const below = (limit: number): number => Math.floor(random.next().value! * limit);
  let [read, slowest] = [0, 0];
  const refused = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    let bytes: Uint8Array = files[round % files.length]!.slice();
    const damage = round % 4;
    if (damage === 0) bytes = bytes.subarray(0, below(bytes.length));
    else if (damage === 1) bytes[below(bytes.length)] = below(256);
    else {for (let flips = damage === 2 ? 1 : 1 + below(20); flips > 0; flips--) {
        bytes[below(bytes.length)]! ^= 1 << below(8);
      }}
    const started = performance.now();
    try {
      fromGoState(bytes, systemRandom);
      read++;
    } catch (error) {
      ok(error instanceof NodePassError, `round ${round}: ${error}`);
      ok(error.code === "limit" || /^Byte \d+: /.test(error.message), error.message);
      refused.set(error.code, (refused.get(error.code) ?? 0) + 1);
    }
    slowest = Math.max(slowest, performance.now() - started);
  }
  ok(slowest < 2_000, `the slowest took ${slowest} ms`);
  ok(read > 0 && (refused.get("corrupt") ?? 0) > ROUNDS / 4, "both outcomes occur");
});
