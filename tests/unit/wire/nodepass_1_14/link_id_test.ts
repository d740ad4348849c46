import type { NodePassError } from "../../../../src/errors.ts";
import { CONTROL_ID, formatId, newLinkId, parseId, readLinkId } from "../../../../src/wire/nodepass_1_14/link_id.ts";
import { FakeClock } from "../../../fake_clock.ts";
import { deepEqual, equal, rejects, test } from "../../../harness.ts";
import { memoryPair } from "../../../memory_conn.ts";

test("formatId() and parseId() are each other's inverse", () => {
  equal(formatId(Uint8Array.of(0x16, 0x21, 0x89, 0x21)), "16218921");
  deepEqual(parseId("57fa3471"), Uint8Array.of(0x57, 0xfa, 0x34, 0x71));
  deepEqual(parseId(CONTROL_ID), new Uint8Array(4));
  for (const text of ["", "57fa347", "57fa34711", "57fa347g", " 57fa347", "0x57fa34"]) equal(parseId(text), null, text);
});

test("newLinkId() passes over the control connection's id and ids in use", () => {
  const draws = [[0, 0, 0, 0], [1, 2, 3, 4], [9, 9, 9, 9]].map((bytes) => Uint8Array.from(bytes));
  equal(newLinkId({ bytes: () => draws.shift()! }, new Set(["01020304"])), "09090909");
  equal(draws.length, 0);
});

test("readLinkId() reads four bytes, however they come, and no more", async () => {
  const clock = new FakeClock();
  const [conn, server] = memoryPair();
  const reading = readLinkId(conn, 1_000, clock);
  for (const byte of [0x84, 0x5f, 0x8a]) await server.write(Uint8Array.of(byte));
  await server.write(Uint8Array.of(0xe9, 1, 2));
  equal(await reading, "845f8ae9");
  equal(await conn.read(new Uint8Array(8)), 2);
  equal(clock.pending, 0);
});

test("readLinkId() gives up on a silent server, and says when it hangs up", async () => {
  const clock = new FakeClock();
  const [conn] = memoryPair();
  const reading = rejects(readLinkId(conn, 1_000, clock), (error: NodePassError) => error.code === "timed_out");
  clock.advance(1_000);
  await reading;
  equal(conn.closed, true);
  const [other, server] = memoryPair();
  await server.write(Uint8Array.of(1));
  server.close();
  await rejects(readLinkId(other, 1_000, clock), (error: NodePassError) => error.code === "closed");
  equal(clock.pending, 0);
});
