/**
 * F6: a stalled receiver. L4: short connections. L6: a burst. L1, L5, M1: what takes long.
 *
 * @module
 */
import { delay, residentMegabytes } from "../../bench/proc_files.ts";
import type { Row } from "../../bench/rows.ts";
import { until, within } from "../../../tests/e2e/load.ts";
import { type Cell, descriptors, type Meeting, Stage, times } from "../stage.ts";
import { LONGEST_PART, receiveTagged, sendTagged, TaggedBytes } from "../tagged_bytes.ts";

const HEALTHY = 100;
const MOST_GROWN_MIB = 16;

/** F6: one receiver stands still beside a hundred that do not. */
export async function stalledReceiver(cell: Cell, seconds: number, leastRatio: number): Promise<Row> {
  await using stage = await Stage.open(cell);
  const meetings = await Promise.all(Array.from({ length: HEALTHY }, () => stage.meet({ ms: 30_000 })));
  const over = { now: false };
  let exchanged = 0;
  const running = meetings.map((meeting) => pingPong(meeting, over, () => exchanged++));
  const window = (): Promise<Window> => watched(stage, seconds, () => exchanged);
  // A burst that is read makes the processes as large as bursts make them: what a stall holds comes on top.
  await readBurst(stage);
  await window();
  let stall = { grown: Infinity, before: 0, ratio: 0 };
  // A heap grows when it pleases, and the machine has other work: the best of three stalls counts.
  for (let attempt = 0; attempt < 3 && (stall.grown > MOST_GROWN_MIB || stall.ratio < leastRatio); attempt++) {
    stall = await besideStall(stage, window);
  }
  over.now = true;
  await Promise.all(running);
  for (const meeting of meetings) meeting[Symbol.dispose]();
  return {
    id: "F6",
    pass: stall.grown <= MOST_GROWN_MIB && stall.ratio >= leastRatio,
    measured: {
      ...cell,
      before: Math.round(stall.before),
      ratio: Number(stall.ratio.toFixed(3)),
      grownMiB: Number(stall.grown.toFixed(1)),
    },
    demand: `RSS + <= ${MOST_GROWN_MIB} MiB, healthy >= ${leastRatio}`,
  };
}

async function readBurst(stage: Stage): Promise<void> {
  using meeting = await stage.meet({ ms: 30_000 });
  const stream = new TaggedBytes(meeting.id);
  const reading = receiveTagged(meeting.visitor, stream);
  await sendTagged(meeting.target, stream, 0, 64 << 20);
  await meeting.target.closeWrite();
  await reading;
}

/** Two windows without a receiver that stalls, two beside one, one afterwards. */
async function besideStall(
  stage: Stage,
  window: () => Promise<Window>,
): Promise<{ grown: number; before: number; ratio: number }> {
  const without = [await window(), await window()];
  const stalled = await stage.meet({ ms: 30_000 });
  // It says nothing more and reads nothing, its target sends for ever.
  const sending = sendTagged(stalled.target, new TaggedBytes(1), 0, 1 << 30).catch(() => {});
  const beside = [await window(), await window()];
  stalled[Symbol.dispose]();
  await sending;
  // The machine itself becomes faster and slower: the stall is held against the time before it and after it.
  const before = (without[1]!.rate + (await window()).rate) / 2;
  const grown = Math.max(...stage.pids.map((_, end) => peak(beside, end) - peak(without, end)));
  return { grown, before, ratio: beside[1]!.rate / before };
}

interface Window {
  /** Exchanges a second. */
  readonly rate: number;
  /** Largest resident MiB of each end. */
  readonly peaks: readonly number[];
}

/** The pace of some seconds, and how large the ends became: a heap grows and shrinks under any load. */
async function watched(stage: Stage, seconds: number, exchanged: () => number): Promise<Window> {
  const before = exchanged();
  let peaks = memory(stage);
  for (let second = 0; second < seconds; second++) {
    await delay(1_000);
    peaks = memory(stage).map((now, end) => Math.max(now, peaks[end]!));
  }
  return { rate: (exchanged() - before) / seconds, peaks };
}

function peak(windows: readonly Window[], end: number): number {
  return Math.max(...windows.map(({ peaks }) => peaks[end]!));
}

function memory(stage: Stage): number[] {
  return stage.pids.map((pid) => residentMegabytes(pid) * 1e6 / 1_048_576);
}

/** 4 KiB there and back until it is over. */
async function pingPong({ id, visitor, target }: Meeting, over: { now: boolean }, onRound: () => void): Promise<void> {
  const stream = new TaggedBytes(id);
  for (let at = 0; !over.now; at += 4_096) {
    await Promise.all([sendTagged(visitor, stream, at, 4_096), receiveTagged(target, stream, at, 4_096)]);
    const back = receiveTagged(visitor, stream, at, 4_096);
    await sendTagged(target, stream, at, 4_096);
    const { bytes, wrong } = await back;
    if (bytes !== 4_096 || wrong > 0) throw new Error(`A healthy session got ${bytes} bytes, ${wrong} wrong`);
    onRound();
    await delay(10);
  }
}

/** One visitor: 1 KiB up and down, clean ends. */
async function shortVisit(stage: Stage, ms: number): Promise<void> {
  using meeting = await stage.meet({ ms });
  const stream = new TaggedBytes(meeting.id);
  const up = receiveTagged(meeting.target, stream);
  await sendTagged(meeting.visitor, stream, 0, 1_024);
  await meeting.visitor.closeWrite();
  const there = await within(ms, "a short visit's bytes", up);
  const down = receiveTagged(meeting.visitor, stream);
  await sendTagged(meeting.target, stream, 0, 1_024);
  await meeting.target.closeWrite();
  const back = await within(ms, "a short visit's answer", down);
  for (const { bytes, wrong, how } of [there, back]) {
    if (bytes !== 1_024 || wrong > 0 || how !== "end") throw new Error(`${bytes} bytes, ${wrong} wrong, ${how}`);
  }
}

/** Descriptors of both ends once they stand still: the surplus links of a burst go one interval after the other. */
async function settledDescriptors(stage: Stage): Promise<number[]> {
  let last = stage.pids.map(descriptors);
  for (let still = 0, second = 0; still < 3 && second < 20; second++) {
    await delay(1_000);
    const now = stage.pids.map(descriptors);
    still = now.every((count, index) => count === last[index]) ? still + 1 : 0;
    last = now;
  }
  return last;
}

/** L4: new connections at a steady rate. */
export async function shortConnections(cell: Cell, perSecond: number, seconds: number): Promise<Row> {
  await using stage = await Stage.open(cell);
  await times(100, 20, () => shortVisit(stage, 10_000));
  const before = await settledDescriptors(stage);
  const visits: Promise<void>[] = [];
  const failures: string[] = [];
  const started = performance.now();
  while (visits.length < perSecond * seconds) {
    const due = Math.min(perSecond * seconds, (performance.now() - started) / 1_000 * perSecond);
    while (visits.length < due) {
      visits.push(shortVisit(stage, 10_000).catch((error) => void failures.push(String(error))));
    }
    await delay(5);
  }
  await Promise.all(visits);
  // Fewer are no fault: links that the warm-up needed may go later than it was waited for.
  const back = () => stage.pids.every((pid, index) => descriptors(pid) <= before[index]! + 5);
  await until("descriptors are back", back, 30_000).catch(() => {});
  const after = stage.pids.map(descriptors);
  return {
    id: "L4",
    pass: failures.length === 0 && back(),
    measured: {
      ...cell,
      connections: visits.length,
      errors: failures.length,
      before,
      after,
      failures: failures.slice(0, 3),
    },
    demand: "0 errors, descriptors + <= 5",
  };
}

/** L6: as many connections as can be made in a second. */
export async function burst(cell: Cell, count: number): Promise<Row> {
  await using stage = await Stage.open(cell);
  const started = performance.now();
  const { failures } = await times(count, count, () => shortVisit(stage, 5_000));
  const ms = Math.round(performance.now() - started);
  const served = 1 - failures.length / count;
  return {
    id: "L6",
    pass: served >= 0.999,
    measured: { ...cell, count, ms, served, failures: failures.slice(0, 3) },
    demand: ">= 99.9 % <= 5 s",
  };
}

/** L5: many bytes each way through one session. */
export async function bulk(cell: Cell, gib: number): Promise<Row> {
  await using stage = await Stage.open(cell);
  using meeting = await stage.meet();
  const length = gib * 2 ** 30;
  let most = 0;
  const sampler = setInterval(() => most = Math.max(most, ...memory(stage)), 500);
  const oneWay = async (tag: number, from: Meeting["visitor"], to: Meeting["visitor"]): Promise<boolean> => {
    const stream = new TaggedBytes(tag);
    const arriving = receiveTagged(to, stream);
    await sendTagged(from, stream, 0, length, LONGEST_PART);
    await from.closeWrite();
    const { bytes, wrong, how } = await arriving;
    return bytes === length && wrong === 0 && how === "end";
  };
  const good = await Promise.all([
    oneWay(1, meeting.visitor, meeting.target),
    oneWay(2, meeting.target, meeting.visitor),
  ]).finally(() => clearInterval(sampler));
  const rss = Math.round(most * 1_048_576 / 1e6);
  return {
    id: "L5",
    pass: good.every(Boolean) && rss <= 150,
    measured: { ...cell, gib, equal: good, rssMB: rss },
    demand: "equal, <= 150 MB RSS",
  };
}

/** L1: quiet sessions for a long time. */
export async function quietSessions(cell: Cell, sessions: number, minutes: number): Promise<Row> {
  await using stage = await Stage.open(cell);
  const latencies: number[] = [];
  const end = performance.now() + minutes * 60_000;
  const { failures } = await times(sessions, sessions, async () => {
    using meeting = await stage.meet({ ms: 60_000 });
    const stream = new TaggedBytes(meeting.id);
    for (let at = 0; performance.now() < end; at += 1_024) {
      const started = performance.now();
      const there = receiveTagged(meeting.target, stream, at, 1_024);
      await sendTagged(meeting.visitor, stream, at, 1_024);
      const back = receiveTagged(meeting.visitor, stream, at, 1_024);
      const first = await there;
      await sendTagged(meeting.target, stream, at, 1_024);
      const second = await back;
      if (first.bytes + second.bytes !== 2_048 || first.wrong + second.wrong > 0) throw new Error("wrong bytes");
      latencies.push(performance.now() - started);
      await delay(Math.max(0, 1_000 - (performance.now() - started)));
    }
  });
  latencies.sort((a, b) => a - b);
  const p99 = latencies[Math.floor(latencies.length * 0.99)] ?? Infinity;
  return {
    id: "L1",
    pass: failures.length === 0 && p99 <= 15,
    measured: {
      ...cell,
      sessions,
      minutes,
      echoes: latencies.length,
      errors: failures.length,
      p99Ms: Number(p99.toFixed(1)),
      failures: failures.slice(0, 3),
    },
    demand: "0 errors, p99 <= 15 ms",
  };
}

/** M1: churn after a warm-up; the slope of the memory. */
export async function churn(cell: Cell, minutes: number): Promise<Row> {
  await using stage = await Stage.open(cell);
  const warmUp = performance.now() + Math.min(5, minutes / 4) * 60_000;
  const end = performance.now() + minutes * 60_000;
  const samples: (readonly [hours: number, ...mib: number[]])[] = [];
  const sampler = setInterval(() => {
    if (performance.now() > warmUp) samples.push([performance.now() / 3_600_000, ...memory(stage)]);
  }, 2_000);
  const failures: string[] = [];
  try {
    while (performance.now() < end) {
      const { failures: some } = await times(200, 20, () => shortVisit(stage, 10_000));
      failures.push(...some);
      await delay(100);
    }
  } finally {
    clearInterval(sampler);
  }
  const slopes = [1, 2].map((column) => slope(samples.map((sample) => [sample[0], sample[column]!] as const)));
  return {
    id: "M1",
    pass: failures.length === 0 && Math.max(...slopes) <= 1,
    measured: {
      ...cell,
      minutes,
      slopesMiBPerHour: slopes.map((value) => Number(value.toFixed(2))),
      errors: failures.length,
    },
    demand: "RSS slope <= 1 MiB/h",
  };
}

/** Of the least-squares line. */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (index: 0 | 1) => points.reduce((sum, point) => sum + point[index], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const above = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return above / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
}
