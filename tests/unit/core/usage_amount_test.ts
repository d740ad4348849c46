/**
 * Sums of bytes.
 *
 * @module
 */
import { MAX_INT64 } from "../../../src/core/store/database.ts";
import { charged, plus, shown } from "../../../src/core/usage/amount.ts";
import { fingerprintOf } from "../../../src/core/usage/fingerprint.ts";
import { MOST_BYTES, suspicion } from "../../../src/core/usage/suspicious.ts";
import { deepEqual, equal, notEqual, test } from "../../harness.ts";

const MOST = Number.MAX_SAFE_INTEGER;

test("usage: sums stay exact, and stop at the largest integer", () => {
  equal(plus(1, 2), 3);
  equal(plus(MOST - 1, 1), MOST);
  equal(plus(MOST, 1), BigInt(MOST) + 1n);
  equal(plus(MAX_INT64 - 1n, 1), MAX_INT64);
  equal(plus(MAX_INT64, 1), MAX_INT64);
  equal(plus(5n, 6n), 11n);
});

test("usage: what is charged is rounded down", () => {
  equal(charged(7, 1_000_000), 7);
  equal(charged(MOST, 1_000_000), MOST);
  equal(charged(7, 1_500_000), 10);
  equal(charged(7, 0), 0);
  equal(charged(MOST, 500_000), Math.floor(MOST / 2));
  equal(charged(MOST, 3_000_000), BigInt(MOST) * 3n);
  equal(charged(MOST, MOST), MAX_INT64);
});

test("usage: JSON has numbers where they are exact", () => {
  deepEqual([shown(1), shown(2n ** 60n)], [1, "1152921504606846976"]);
});

const entry = { userId: 1, subscriptionId: 2, nodeProtocolId: 3, bytesUp: 4, bytesDown: 5, recordedAt: 6 };

test("usage: equal reports have one fingerprint, others another", async () => {
  const other = { ...entry, userId: 9 };
  const same = await fingerprintOf(1, [entry, other]);
  equal(same, await fingerprintOf(1, [{ ...other }, { ...entry }]));
  equal(same.length, 64);
  const others = [
    await fingerprintOf(2, [entry, other]),
    await fingerprintOf(1, [entry]),
    await fingerprintOf(1, [entry, other, other]),
    await fingerprintOf(1, [{ ...entry, recordedAt: 7 }, other]),
    await fingerprintOf(1, [{ ...entry, subscriptionId: null }, other]),
  ];
  for (const another of others) notEqual(same, another);
});

test("usage: what no link carries is suspicious", () => {
  const of = (...bytes: number[]) =>
    suspicion({
      ...{ kind: "usage", nodeId: 1, place: {}, items: [], fingerprint: null },
      entries: bytes.map((bytesDown) => ({ ...entry, bytesDown })),
    });
  equal(of(1, MOST_BYTES), null);
  deepEqual(of(MOST_BYTES + 1, 1, MOST_BYTES + 2)?.data, {
    entries: 2,
    worst: {
      ...{ userId: 1, subscriptionId: 2, nodeProtocolId: 3, bytesUp: 4, bytesDown: MOST_BYTES + 2 },
      recordedAt: "1970-01-01T00:00:00.006Z",
    },
  });
});
