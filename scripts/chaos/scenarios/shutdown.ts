/**
 * F12: SIGTERM under load. F8: no descriptors left.
 *
 * @module
 */
import { cpuClock, cpuSecondsBetween, delay } from "../../bench/proc_files.ts";
import type { Row } from "../../bench/rows.ts";
import { within } from "../../../tests/e2e/load.ts";
import type { NodePassProcess } from "../../../tests/e2e/process.ts";
import { dial } from "../../../tests/unit/tunnel/forward_fixture.ts";
import type { Conn } from "../../../src/runtime/types.ts";
import { type Cell, type Meeting, Stage, times } from "../stage.ts";
import { receiveTagged, sendTagged, TaggedBytes } from "../tagged_bytes.ts";

const GRACE_MS = 2_000;
const DEAF_MS = 100;
const FILES = 256;
const VISITORS = 400;

/** The end where visitors arrive is asked to stop: half of the sessions end in time, `stubborn` says whether all do. */
export async function sigterm(cell: Cell, stubborn: boolean, slackMs: number): Promise<Row> {
  await using stage = await Stage.open(cell, { env: { NP_SHUTDOWN_TIMEOUT: `${GRACE_MS}ms` } });
  const entryEnd = cell.flow === "reverse" ? stage.server : stage.client;
  const meetings = await Promise.all(Array.from({ length: 40 }, () => stage.meet()));
  const ending = meetings.slice(stubborn ? 20 : 0);
  // They run through the signal and end half a second after it.
  const finishing = ending.map((meeting) => finishLater(meeting, 500));
  entryEnd.signal("SIGTERM");
  const signalled = performance.now();
  const exited = entryEnd.exited.then((code) => ({ code, ms: performance.now() - signalled }));
  await delay(DEAF_MS);
  const { failures } = await times(20, 20, async () => {
    const visitor = await dial(stage.entry);
    const [answer] = await Promise.allSettled([
      visitor.write(new Uint8Array(4)).then(() => visitor.read(new Uint8Array(1))),
    ]);
    visitor.close();
    if (answer!.status === "rejected" || answer!.value === null) throw new Error("turned away");
  });
  const results = await Promise.all(finishing);
  const { code, ms } = await within(GRACE_MS + 10_000, "the exit", exited);
  for (const meeting of meetings) meeting[Symbol.dispose]();
  const complete = results.filter(Boolean).length;
  return {
    id: "F12",
    pass: code === 0 && ms <= (stubborn ? GRACE_MS : 500) + slackMs && failures.length === 20 &&
      complete === results.length,
    measured: {
      ...cell,
      stubborn,
      code,
      exitMs: Math.round(ms),
      acceptedLate: 20 - failures.length,
      drained: complete,
    },
    demand: `accepts nothing after ${DEAF_MS} ms, drains ${results.length}, exit 0 <= grace + ${slackMs} ms`,
  };
}

/** Sends both ways for `ms`, ends cleanly, and says whether every byte arrived. */
async function finishLater({ id, visitor, target }: Meeting, ms: number): Promise<boolean> {
  const [up, down] = await Promise.all([flow(visitor, target, 2 * id, ms), flow(target, visitor, 2 * id + 1, ms)]);
  return up && down;
}

async function flow(from: Conn, to: Conn, tag: number, ms: number): Promise<boolean> {
  const stream = new TaggedBytes(tag);
  const arriving = receiveTagged(to, stream);
  let sent = 0;
  try {
    for (const until = performance.now() + ms; performance.now() < until; sent += 1_000) {
      await sendTagged(from, stream, sent, 1_000);
      await delay(20);
    }
    await from.closeWrite();
  } catch {
    return false;
  }
  const { bytes, wrong, how } = await arriving;
  return bytes === sent && wrong === 0 && how === "end";
}

/** The end where visitors arrive runs out of descriptors. */
export async function noDescriptors(cell: Cell, limitMs: number): Promise<Row> {
  await using stage = await Stage.open(cell);
  const starving = cell.flow === "reverse" ? stage.server : stage.client;
  await limitFiles(starving, FILES);
  const dialled = await Promise.allSettled(Array.from({ length: VISITORS }, () => dial(stage.entry)));
  // Some are turned away before their connect was seen to be done.
  const visitors = dialled.flatMap((result) => result.status === "fulfilled" ? [result.value] : []);
  for (const visitor of visitors) await visitor.write(new Uint8Array(2)).catch(() => {});
  await delay(1_000);
  const before = cpuClock([starving.pid]);
  await delay(2_000);
  const cpu = cpuSecondsBetween(before, cpuClock([starving.pid])) / 2;
  for (const visitor of visitors) visitor.close();
  const released = performance.now();
  let backMs = Infinity;
  let last: unknown = null;
  while (backMs === Infinity && performance.now() - released < 10_000) {
    try {
      using meeting = await stage.meet({ ms: 400 });
      const arriving = receiveTagged(meeting.target, new TaggedBytes(meeting.id));
      await sendTagged(meeting.visitor, new TaggedBytes(meeting.id), 0, 10_000);
      await meeting.visitor.closeWrite();
      if ((await arriving).bytes === 10_000) backMs = performance.now() - released;
    } catch (error) {
      last = error;
    }
  }
  const alive = await Promise.race([starving.exited.then(() => false), delay(0).then(() => true)]);
  return {
    id: "F8",
    pass: alive && cpu < 0.5 && backMs <= limitMs,
    measured: {
      ...cell,
      alive,
      cpu,
      backMs: Math.round(backMs),
      lines: starving.lines.length,
      last: backMs === Infinity ? String(last) : undefined,
    },
    demand: `no crash, no busy loop, normal <= ${limitMs} ms after release`,
  };
}

async function limitFiles(process: NodePassProcess, files: number): Promise<void> {
  const { success } = await new Deno.Command("prlimit", {
    args: ["--pid", String(process.pid), `--nofile=${files}:${files}`],
  })
    .output();
  if (!success) throw new Error("prlimit failed");
}
