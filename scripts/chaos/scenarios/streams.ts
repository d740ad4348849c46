/**
 * What one stream may not lose: half-closes, resets, bytes.
 *
 * @module
 */
import type { Row } from "../../bench/rows.ts";
import { delay } from "../../bench/proc_files.ts";
import { until, within } from "../../../tests/e2e/load.ts";
import { nodeNet } from "../../../src/runtime/node/net.ts";
import type { Conn } from "../../../src/runtime/types.ts";
import { dial } from "../../../tests/unit/tunnel/forward_fixture.ts";
import { dice, type Meeting, type Stage, times } from "../stage.ts";
import { type Received, receiveTagged, sendTagged, TaggedBytes } from "../tagged_bytes.ts";

const AT_ONCE = 10;
const SESSION_MS = 30_000;

/** T1: each side in turn ends first and still hears everything. */
export async function halfCloses(stage: Stage, count: number): Promise<Row> {
  const { failures } = await times(count, AT_ONCE, async (index) => {
    using meeting = await stage.meet();
    const [first, second] = index % 2 === 0 ? [meeting.visitor, meeting.target] : [meeting.target, meeting.visitor];
    await within(
      SESSION_MS,
      "a half-closed session",
      (async () => {
        await oneWay(first, second, index, index % 5 === 0 ? 0 : index * 997);
        await oneWay(second, first, -index, index * 1_499);
      })(),
    );
  });
  return {
    id: "T1",
    pass: failures.length === 0,
    measured: { ...stage.cell, good: count - failures.length, of: count, failures: failures.slice(0, 3) },
    demand: `${count}/${count}`,
  };
}

/** Sends, ends, and demands that exactly this and a clean end arrive. */
async function oneWay(from: Conn, to: Conn, tag: number, length: number, part?: number): Promise<void> {
  const stream = new TaggedBytes(Math.abs(tag));
  const arriving = receiveTagged(to, stream);
  await sendTagged(from, stream, 0, length, part);
  await from.closeWrite();
  same(await arriving, length);
}

function same(received: Received, length: number): void {
  if (received.bytes === length && received.wrong === 0 && received.how === "end") return;
  throw new Error(`${JSON.stringify(received)} of ${length} bytes`);
}

/** T2: a reset in mid-stream is a reset at the other side (Node), and always an abort between the two ends. */
export async function resets(stage: Stage, count: number): Promise<Row> {
  const next = dice(count);
  const aborted = () => stage.server.lines.filter((line) => /Session ended.*\breason=reset/.test(line)).length;
  const before = aborted();
  const clean: string[] = [];
  const { failures } = await times(count, AT_ONCE, async (index) => {
    // The Node adapter can reset on both runtimes.
    using meeting = await stage.meet({ net: nodeNet });
    const byVisitor = index % 2 === 0;
    const [breaks, hears] = byVisitor ? [meeting.visitor, meeting.target] : [meeting.target, meeting.visitor];
    const stream = new TaggedBytes(index);
    const hearing = within(SESSION_MS, "the end of a reset session", receiveTagged(hears, stream));
    await sendTagged(breaks, stream, 0, next(3) === 0 ? 0 : next(300_000), 1 + next(60_000));
    breaks.reset();
    const { how, wrong } = await hearing;
    if (wrong > 0) throw new Error(`${wrong} wrong bytes`);
    if (how === "end") clean.push(`${byVisitor ? "visitor" : "target"} ${index}`);
  });
  // The lines of the last sessions are still on their way.
  await until("the aborts are logged", () => aborted() - before >= count, 2_000).catch(() => {});
  const aborts = aborted() - before;
  const node = stage.cell.runtime === "node";
  return {
    id: "T2",
    pass: failures.length === 0 && aborts >= count && (!node || clean.length === 0),
    measured: { ...stage.cell, resets: count, cleanEnds: clean.length, aborts, failures: failures.slice(0, 3) },
    demand: node ? `0/${count} clean ends` : `${count}/${count} aborts`,
  };
}

/** T3: seeded scripts of tiny and large writes, stalled readers and both orders of ending. */
export async function scripts(stage: Stage, count: number, seed: number = 1): Promise<Row> {
  let bytes = 0;
  const { failures } = await times(count, AT_ONCE, async (index) => {
    const next = dice(seed * 10_007 + index);
    using meeting = await stage.meet();
    const up = plan(next);
    const down = plan(next);
    await within(
      SESSION_MS,
      `script ${index}`,
      Promise.all([
        follow(meeting.visitor, meeting.target, 2 * index, up),
        follow(meeting.target, meeting.visitor, 2 * index + 1, down),
      ]),
    );
    bytes += total(up) + total(down);
  });
  return {
    id: "T3",
    pass: failures.length === 0,
    measured: { ...stage.cell, scripts: count, mib: Math.round(bytes / 1_048_576), failures: failures.slice(0, 3) },
    demand: "byte-equal",
  };
}

/** Writes of one direction, and when its reader stalls. */
interface Plan {
  readonly writes: readonly number[];
  readonly stallAt: number;
  readonly stallMs: number;
}

function plan(next: (limit: number) => number): Plan {
  const writes: number[] = [];
  for (let step = next(6); step > 0; step--) {
    const kind = next(4);
    if (kind === 0) writes.push(...Array.from({ length: next(40) }, () => 1));
    else writes.push(kind === 1 ? next(2_000) : kind === 2 ? next(65_536) : next(2_000_000));
  }
  return { writes, stallAt: next(4) === 0 ? next(500_000) : Infinity, stallMs: 50 + next(250) };
}

function total({ writes }: Plan): number {
  return writes.reduce((sum, length) => sum + length, 0);
}

async function follow(from: Conn, to: Conn, tag: number, { writes, stallAt, stallMs }: Plan): Promise<void> {
  const stream = new TaggedBytes(tag);
  const length = writes.reduce((sum, write) => sum + write, 0);
  const arriving = (async () => {
    const early = stallAt < length ? stallAt : 0;
    const first = await receiveTagged(to, stream, 0, early);
    if (early > 0) await delay(stallMs);
    const rest = await receiveTagged(to, stream, first.bytes);
    same({ ...rest, bytes: first.bytes + rest.bytes, wrong: first.wrong + rest.wrong }, length);
  })();
  arriving.catch(() => {});
  let at = 0;
  for (const write of writes) {
    await sendTagged(from, stream, at, write);
    at += write;
  }
  await from.closeWrite();
  await arriving;
}

/** T3: 64 MiB at once, both ways. */
export async function largeWrites(stage: Stage, mib: number = 64): Promise<Row> {
  const { failures } = await times(2, 2, async (index) => {
    using meeting = await stage.meet();
    const [from, to] = index === 0 ? [meeting.visitor, meeting.target] : [meeting.target, meeting.visitor];
    await within(60_000, "a large write", oneWay(from, to, index, mib * 1_048_576));
  });
  return { id: "T3", pass: failures.length === 0, measured: { ...stage.cell, mib, failures }, demand: "byte-equal" };
}

/** T3: visitors that leave before they are served; the next one is served as ever. */
export async function earlyLeavers(stage: Stage, count: number): Promise<Row> {
  const { failures } = await times(count, 20, async (index) => {
    const visitor = await dial(stage.entry);
    if (index % 3 === 1) await visitor.write(new Uint8Array(4));
    if (index % 3 === 2) await visitor.closeWrite();
    visitor.close();
  });
  await until("nobody is left at the target", () => stage.point.open === 0, 5_000).catch(() => {});
  using meeting: Meeting = await stage.meet();
  await oneWay(meeting.visitor, meeting.target, 5, 100_000);
  const open = stage.point.open;
  return {
    id: "T3",
    pass: failures.length === 0 && open === 1,
    measured: { ...stage.cell, early: count, left: open - 1, failures },
    demand: "the next visitor is served, no connection is left at the target",
  };
}
