/**
 * Silence: the idle limit, and links that carry none of it.
 *
 * @module
 */
import { delay } from "../../bench/proc_files.ts";
import type { Row } from "../../bench/rows.ts";
import { within } from "../../../tests/e2e/load.ts";
import { type Cell, Stage } from "../stage.ts";
import { receiveTagged, sendTagged, TaggedBytes } from "../tagged_bytes.ts";

/** `read=` ends a silent session and leaves a slow one alone. */
export async function idleLimit(cell: Cell, limitMs: number): Promise<Row> {
  await using stage = await Stage.open(cell, { serverQuery: `read=${limitMs}ms`, clientQuery: `read=${limitMs}ms` });
  using slow = await stage.meet();
  const started = performance.now();
  using silent = await stage.meet();
  const ended = within(
    limitMs + 5_000,
    "the end of a silent session",
    receiveTagged(silent.visitor, new TaggedBytes(0)),
  )
    .then(() => performance.now() - started);
  const stream = new TaggedBytes(slow.id);
  let arrived = 0;
  for (; performance.now() - started < 2.5 * limitMs; arrived++) {
    await sendTagged(slow.target, stream, arrived, 1);
    const { bytes, wrong } = await within(2_000, "a slow byte", receiveTagged(slow.visitor, stream, arrived, 1));
    if (bytes !== 1 || wrong > 0) break;
    await delay(limitMs / 4);
  }
  const slowMs = performance.now() - started;
  const endedMs = Math.round(await ended);
  return {
    id: "T5",
    pass: arrived >= 4 && slowMs >= 2.5 * limitMs && endedMs >= limitMs - 100 && endedMs <= limitMs + 2_500,
    measured: { ...cell, limitMs, endedMs, slowBytes: arrived },
    demand: "a silent session ends at the limit, a slow one goes on",
  };
}

/** A visitor that reads nothing for longer than a silent link lives, then everything. */
export async function pausedReader(cell: Cell, ms: number): Promise<Row> {
  await using stage = await Stage.open(cell);
  using meeting = await stage.meet();
  const length = 64 << 20;
  const stream = new TaggedBytes(meeting.id);
  const sending = sendTagged(meeting.target, stream, 0, length).then(() => meeting.target.closeWrite());
  sending.catch(() => {});
  await delay(ms);
  const { bytes, wrong, how } = await within(60_000, "all bytes", receiveTagged(meeting.visitor, stream));
  await meeting.visitor.closeWrite();
  return {
    id: "T6",
    pass: bytes === length && wrong === 0 && how === "end",
    measured: { ...cell, pausedMs: ms, bytes, wrong, how },
    demand: "every byte after the pause",
  };
}
