/**
 * F4/F5: the network between both ends goes away and comes back.
 *
 * @module
 */
import { delay } from "../../bench/proc_files.ts";
import type { Row } from "../../bench/rows.ts";
import { within } from "../../../tests/e2e/load.ts";
import type { Directions } from "../../fault_relay/faults.ts";
import { type Cell, type Meeting, Stage } from "../stage.ts";
import { receiveTagged, sendTagged, TaggedBytes } from "../tagged_bytes.ts";

const QUIET_SESSIONS = 20;
const BULK_SESSIONS = 4;
const JUDGED_MS = 20_000;
const SHORT_MS = 10_000;
/** Ticks and a busy machine. */
const SLACK_MS = 2_000;

/** A black hole of `ms` in `directions`, with quiet and bulk sessions on the links. */
export async function blackHole(
  cell: Cell,
  ms: number,
  directions: Directions,
  env: Readonly<Record<string, string>> = {},
): Promise<Row> {
  await using stage = await Stage.open(cell, { env });
  const meetings = await Promise.all(Array.from({ length: QUIET_SESSIONS + BULK_SESSIONS }, () => stage.meet()));
  const sessions = meetings.map((meeting, index) => new WatchedSession(meeting, index < QUIET_SESSIONS));
  await delay(300);
  const started = performance.now();
  stage.relay.set({ blackHole: true }, directions);
  await delay(ms);
  stage.relay.set({ blackHole: false }, directions);
  const lifted = performance.now();
  // A session is well when it moves after the outage; else both its sockets are closed.
  const limit = Math.max(started + JUDGED_MS + SLACK_MS, lifted + 3_000);
  const states = () => sessions.map((session) => session.state(lifted));
  while (performance.now() < limit && states().some((state) => state === "hanging")) await delay(100);
  const counts = { resumed: 0, closed: 0, hanging: 0 };
  for (const state of states()) counts[state]++;
  const closedMs = Math.round(Math.max(0, ...sessions.map(({ endedAt }) => (endedAt ?? started) - started)));
  // New visitors are served again, whatever happened to the old ones.
  const fresh = await freshVisitor(stage, 10_000);
  const wrong = sessions.reduce((sum, session) => sum + session.wrong, 0);
  for (const session of sessions) await session.close();
  const short = ms <= SHORT_MS;
  return {
    id: directions === "both" ? "F4" : "F5",
    pass: wrong === 0 && fresh !== null && counts.hanging === 0 && (!short || counts.closed === 0) &&
      (short || closedMs <= JUDGED_MS + SLACK_MS),
    measured: { ...cell, ...env, outageMs: ms, directions, ...counts, closedMs, wrong, freshMs: fresh },
    demand: short ? "0 sessions lost" : "resumed or closed <= 20 s, none hangs",
  };
}

/** A replacement is accepted while the old control channel and links are dead but open. */
export async function zombies(cell: Cell): Promise<Row> {
  await using stage = await Stage.open(cell, { env: { NP_REPORT_INTERVAL: "500ms" } });
  const started = performance.now();
  for (const connection of stage.relay.connections()) connection.set({ blackHole: true });
  const fresh = await freshVisitor(stage, 20_000);
  const zombiesLeft = stage.relay.connections().length;
  const ms = fresh === null ? null : Math.round(performance.now() - started);
  return {
    id: "F5",
    pass: ms !== null && ms <= 10_000,
    measured: { ...cell, replacedMs: ms, zombiesLeft },
    demand: "a replacement is accepted while the zombie lives",
  };
}

/** Milliseconds until a new visitor's bytes arrive; null when that takes longer than `ms`. */
async function freshVisitor(stage: Stage, ms: number): Promise<number | null> {
  const started = performance.now();
  while (performance.now() - started < ms) {
    try {
      using meeting = await stage.meet({ ms: 1_500 });
      const stream = new TaggedBytes(meeting.id);
      await sendTagged(meeting.visitor, stream, 0, 1_000);
      const { bytes } = await within(3_000, "bytes", receiveTagged(meeting.target, stream, 0, 1_000));
      if (bytes === 1_000) return Math.round(performance.now() - started);
    } catch {
      await delay(100);
    }
  }
  return null;
}

/** A session that moves bytes from the target to the visitor: a few ten times a second, or as many as it can. */
class WatchedSession {
  endedAt: number | null = null;
  wrong = 0;
  readonly #meeting: Meeting;
  readonly #done: Promise<unknown>;
  #movedAt = performance.now();
  #visitorEnded = false;
  #targetEnded = false;

  constructor(meeting: Meeting, quiet: boolean) {
    this.#meeting = meeting;
    this.#done = Promise.all([this.#send(quiet), this.#receive(), this.#hear()]);
  }

  state(after: number): "resumed" | "closed" | "hanging" {
    if (this.#visitorEnded && this.#targetEnded) return "closed";
    return !this.#visitorEnded && !this.#targetEnded && this.#movedAt > after + 50 ? "resumed" : "hanging";
  }

  async close(): Promise<void> {
    this.#meeting[Symbol.dispose]();
    await this.#done;
  }

  async #send(quiet: boolean): Promise<void> {
    const stream = new TaggedBytes(this.#meeting.id);
    const length = quiet ? 100 : 16_384;
    try {
      for (let sent = 0;; sent += length) {
        await sendTagged(this.#meeting.target, stream, sent, length);
        await delay(quiet ? 100 : 20);
      }
    } catch {
      // The session has ended.
    }
  }

  async #receive(): Promise<void> {
    const stream = new TaggedBytes(this.#meeting.id);
    for (let got = 0;;) {
      const { bytes, wrong, how } = await receiveTagged(this.#meeting.visitor, stream, got, 100);
      got += bytes;
      this.wrong += wrong;
      this.#movedAt = performance.now();
      if (how !== "enough") break;
    }
    this.#visitorEnded = true;
    this.#end();
  }

  /** The visitor says nothing: the target hears only the end. */
  async #hear(): Promise<void> {
    await receiveTagged(this.#meeting.target, new TaggedBytes(0));
    this.#targetEnded = true;
    this.#end();
  }

  #end(): void {
    if (this.#visitorEnded && this.#targetEnded) this.endedAt ??= performance.now();
  }
}
