import { DatagramSession, type DatagramSessionEnd, DatagramSessions } from "../../../src/relay/datagram_sessions.ts";
import { IdleSweeper } from "../../../src/relay/idle_sweeper.ts";
import { FakeClock } from "../../fake_clock.ts";
import { deepEqual, equal, ok, test } from "../../harness.ts";

class Recorded extends DatagramSession<string> {
  readonly ends: string[];

  constructor(key: string, ends: string[]) {
    super(key);
    this.ends = ends;
  }

  override onEnd(reason: DatagramSessionEnd): void {
    this.ends.push(`${this.key} ${reason}`);
  }
}

function table(expiryMs = 30_000) {
  const clock = new FakeClock();
  const sweeper = new IdleSweeper(clock);
  const ends: string[] = [];
  const sessions = new DatagramSessions<string, Recorded>({
    clock,
    expiryMs,
    onTick: (run) => sweeper.onTick(run),
  });
  const add = (key: string): Recorded => {
    const session = new Recorded(key, ends);
    sessions.add(session);
    return session;
  };
  return { clock, sessions, ends, add };
}

test("DatagramSessions frees a session 30 s after its last packet, within 2 s", () => {
  const { clock, sessions, ends, add } = table();
  add("a");
  clock.advance(28_000);
  equal(sessions.size, 1);
  clock.advance(4_000);
  deepEqual(ends, ["a expired"]);
  equal(sessions.get("a"), undefined);
  equal(clock.pending, 0);
});

test("DatagramSessions keeps a session while either direction speaks", () => {
  const { clock, sessions, ends, add } = table();
  const asks = add("asks");
  const answers = add("answers");
  add("silent");
  for (let second = 0; second < 60; second += 10) {
    clock.advance(10_000);
    sessions.heard(asks);
    sessions.answered(answers);
  }
  deepEqual(ends, ["silent expired"]);
  clock.advance(32_000);
  deepEqual(ends.toSorted(), ["answers expired", "asks expired", "silent expired"]);
});

test("DatagramSessions.evict ends the longest silent newcomer before sessions that spoke twice", () => {
  const { clock, sessions, ends, add } = table();
  const old = add("old");
  clock.advance(1_000);
  sessions.heard(old);
  add("first");
  clock.advance(1_000);
  add("second");
  ok(sessions.evict());
  ok(sessions.evict());
  deepEqual(ends, ["first evicted", "second evicted"]);
  ok(sessions.evict());
  deepEqual(ends.at(-1), "old evicted");
  equal(sessions.evict(), false);
});

test("DatagramSessions.evict leaves newcomers a share when the table is full of busy sessions", () => {
  const { clock, sessions, ends, add } = table();
  const busy = Array.from({ length: 20 }, (_, index) => add(`busy${index}`));
  for (const session of busy) {
    clock.advance(1_000);
    sessions.heard(session);
  }
  add("newcomer");
  sessions.evict();
  deepEqual(ends, ["busy0 evicted"]);
});

test("DatagramSessions keeps sessions in use when 50,000 sources pass by", () => {
  const { clock, sessions, ends, add } = table();
  const limit = 1_000;
  const used = Array.from({ length: 100 }, (_, index) => add(`used${index}`));
  clock.advance(1_000);
  for (const session of used) sessions.heard(session);
  for (let source = 0; source < 50_000; source++) {
    if (source % 833 === 0) {
      clock.advance(1_000);
      for (const session of used) if (session.list !== null) sessions.heard(session);
    }
    while (sessions.size >= limit) sessions.evict();
    add(`spoofed${source}`);
    ok(sessions.size <= limit);
  }
  equal(ends.filter((end) => end.startsWith("used")).length, 0);
});

test("DatagramSessions.end calls onEnd once and drain shortens the silence", () => {
  const { clock, sessions, ends, add } = table();
  const session = add("a");
  sessions.end(session, "cut");
  sessions.end(session, "cut");
  deepEqual(ends, ["a cut"]);
  add("silent");
  clock.advance(5_000);
  const speaking = add("speaking");
  sessions.heard(speaking);
  sessions.drain();
  deepEqual(ends, ["a cut", "silent expired"]);
  clock.advance(3_000);
  equal(ends.at(-1), "speaking expired");
  add("left");
  sessions.endAll();
  equal(sessions.size, 0);
  equal(clock.pending, 0);
});
