import { setTimeout as delay } from "node:timers/promises";
import type { Conn } from "../../src/runtime/types.ts";
import { writeAll } from "../../src/relay/write_all.ts";
import { ok, test } from "../harness.ts";
import { type DoorChild, startDoor } from "../unit/tunnel/accept/door_child.ts";
import {
  address,
  connectTo,
  exchangeWith,
  fullProfile,
  GOOD_MARK,
  stranger,
  within,
} from "../unit/tunnel/accept/front_door.ts";
import { preface, text } from "../unit/tunnel/accept/openings.ts";

const PER_SECOND = 10_000 / 60;
const floodSeconds = fullProfile ? 60 : 4;
/** A few seconds on a machine with other work say little: there it is only shown that the link is not starved. */
const leastRatio = fullProfile ? 0.8 : 0.2;

async function link(door: DoorChild, from: string): Promise<Conn> {
  const conn = await connectTo(door, from);
  await exchangeWith(conn, preface(GOOD_MARK), 0);
  await exchangeWith(conn, text("x"), 1);
  return conn;
}

/** Bytes per second that come back on an established link. */
async function throughput(conn: Conn, seconds: number): Promise<number> {
  const chunk = new Uint8Array(65_536);
  const buffer = new Uint8Array(262_144);
  const start = performance.now();
  let received = 0;
  let sent = 0;
  while (performance.now() - start < seconds * 1_000) {
    const writing = writeAll(conn, chunk);
    sent += chunk.length;
    while (received < sent) received += await conn.read(buffer) ?? 0;
    await writing;
  }
  return received / (performance.now() - start) * 1_000;
}

/** Bad handshakes at a steady rate until the signal fires; how many were sent. */
async function flood(door: DoorChild, sources: number, signal: AbortSignal): Promise<number> {
  let sent = 0;
  for (const start = performance.now(); !signal.aborted; await delay(10)) {
    for (; sent < (performance.now() - start) / 1_000 * PER_SECOND; sent++) {
      void stranger(door.port, address(sent % sources)).then(({ socket }) => socket.end(preface(0)));
    }
  }
  return sent;
}

/** The pace of a link during a flood, held against the time before it and after it. */
async function beside(door: DoorChild, conn: Conn, sources: number): Promise<{ sent: number; ratio: number }> {
  const before = await throughput(conn, floodSeconds / 2);
  const over = new AbortController();
  const flooding = flood(door, sources, over.signal);
  const flooded = await throughput(conn, floodSeconds);
  over.abort();
  const sent = await flooding;
  const alone = (before + await throughput(conn, floodSeconds / 2)) / 2;
  return { sent, ratio: Number((flooded / alone).toFixed(2)) };
}

for (const sources of [1, 5_000]) {
  test(`the tunnel port keeps its speed under 10,000 bad handshakes a minute from ${sources} sources`, async () => {
    const door = await startDoor({ tls: 0, timeoutMs: 5_000 });
    try {
      const conn = await link(door, address(70_000));
      await throughput(conn, 1);
      const started = performance.now();
      let flooded = await beside(door, conn, sources);
      // The machine has other work, now more, now less: the best of three counts.
      for (let again = 0; again < 2 && flooded.ratio < leastRatio; again++) flooded = await beside(door, conn, sources);
      const seconds = (performance.now() - started) / 1_000;
      const { lines, refusals, messages } = await door.report();
      console.log(JSON.stringify({ sources, ...flooded, lines, ...refusals }));
      ok(flooded.ratio >= leastRatio, `throughput fell to ${flooded.ratio}`);
      ok(lines <= 10 * (seconds + 1), `${lines} lines`);
      ok(sources > 1 || messages.some((message) => message.startsWith("Source refused")), messages.join());
      conn.close();
      (await link(door, address(70_001))).close();
    } finally {
      await door.close();
    }
  });
}

test("the tunnel port survives a lack of descriptors without a busy loop and is back within 2 s", async () => {
  const door = await startDoor({ tls: 0, timeoutMs: 2_000, files: 256 });
  try {
    // Links that were taken over are not bounded by the waiting room: they use the descriptors up.
    const strangers = await Promise.all(Array.from({ length: 400 }, (_, index) => stranger(door.port, address(index))));
    for (const { socket } of strangers) if (!socket.destroyed) socket.write(preface(GOOD_MARK));
    await delay(1_000);
    const cpuBefore = door.cpuSeconds();
    await delay(2_000);
    const cpu = (door.cpuSeconds() - cpuBefore) / 2;
    ok(door.alive);

    for (const { socket } of strangers) socket.destroy();
    const released = performance.now();
    const conn = await link(door, address(70_000));
    const backMs = Math.round(performance.now() - released);
    const report = await door.report();
    console.log(
      JSON.stringify({ cpu, backMs, lines: report.lines, messages: report.messages, descriptors: door.descriptors() }),
    );
    ok(cpu < 0.3, `uses ${cpu} of a processor while it waits`);
    ok(backMs <= 2_000, `back after ${backMs} ms`);
    conn.close();
    ok(await within(2_000, () => door.descriptors() < 60), `${door.descriptors()} descriptors`);
  } finally {
    await door.close();
  }
});
