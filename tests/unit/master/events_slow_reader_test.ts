import { deepEqual, equal, ok, test } from "../../harness.ts";
import { FakeSink, hubOf, view } from "./events_fixture.ts";

const A = view("aaaaaaaa");
const B = view("bbbbbbbb");

/** A hub and a reader that has stopped reading. */
function stuck() {
  const made = hubOf([]);
  const sink = new FakeSink(1);
  made.hub.attach(sink, null);
  return { ...made, sink };
}

test("slow reader: one update waits per instance, the newest one", () => {
  const { hub, sink } = stuck();
  for (let ping = 1; ping <= 1_000; ping++) {
    hub.emit({ type: "update", instance: { ...A, ping }, logs: "" });
    hub.emit({ type: "update", instance: { ...B, ping: -ping }, logs: "" });
  }
  equal(sink.broken, false);
  sink.take();
  deepEqual(sink.events.map(({ data }) => data.instance?.ping), [1_000, -1_000]);
});

test("slow reader: ids never rise past what it has not got", () => {
  const { hub, sink } = stuck();
  hub.emit({ type: "update", instance: A, logs: "" });
  hub.emit({ type: "create", instance: B, logs: "" });
  hub.emit({ type: "update", instance: { ...A, ping: 3 }, logs: "" });
  sink.take();
  deepEqual(sink.events.map(({ id }) => id), ["7-1", "7-2"]);
  const back = new FakeSink();
  hub.attach(back, "7-1");
  deepEqual(back.events.map(({ id }) => id), ["7-2", "7-3"]);
});

test("slow reader: log lines give way first, counted where they are missing", async () => {
  const { hub, sink } = stuck();
  for (let n = 1; n <= 300; n++) hub.emit({ type: "log", instance: A, logs: `a${n}` });
  hub.emit({ type: "log", instance: B, logs: "b1" });
  for (let n = 1; n <= 6; n++) hub.emit({ type: "create", instance: view(`0000000${n}`), logs: "" });
  equal(sink.broken, false);
  equal(hub.dropped, 44 + 1 + 6);
  sink.take();
  const { story } = sink;
  equal(story[0], "log aaaaaaaa a7");
  deepEqual(story.slice(249, 252), [
    "log aaaaaaaa a256",
    "log aaaaaaaa 50 log lines dropped: this reader was too slow",
    "log bbbbbbbb 1 log line dropped: this reader was too slow",
  ]);
  equal(story.length, 250 + 2 + 6);
  hub.emit({ type: "log", instance: A, logs: "now" });
  equal(sink.story.at(-1), "log aaaaaaaa now");
  sink.close();
  await Promise.resolve();
  equal(hub.dropped, 51);
});

test("slow reader: with 256 other events waiting it is cut off, and resumes without a gap", async () => {
  const { hub, sink } = stuck();
  for (let n = 1; n <= 256; n++) hub.emit({ type: "create", instance: view(`${n}`), logs: "" });
  equal(sink.broken, false);
  hub.emit({ type: "create", instance: view("257"), logs: "" });
  equal(sink.broken, true);
  equal(sink.ended, false);
  await Promise.resolve();
  equal(hub.readers, 0);
  equal(hub.dropped, 256);
  const back = new FakeSink();
  hub.attach(back, "7-0");
  deepEqual(back.story, Array.from({ length: 257 }, (_, n) => `create ${n + 1}`));
});

test("slow reader: fat events are bounded by their length, too", () => {
  const { hub, sink } = stuck();
  for (let n = 0; n < 1_000; n++) hub.emit({ type: "log", instance: A, logs: "x".repeat(32_000) });
  ok(hub.dropped > 700, `${hub.dropped} dropped`);
  equal(sink.broken, false);
});

test("slow reader: events that it misses while it catches up are forgotten with a broken connection", () => {
  const { hub } = stuck();
  for (let n = 1; n <= 1_000; n++) hub.emit({ type: "log", instance: A, logs: `${n}` });
  const sink = new FakeSink(3);
  hub.attach(sink, "7-0");
  deepEqual(sink.story, ["log aaaaaaaa 1", "log aaaaaaaa 2"]);
  for (let n = 1; n <= 10; n++) hub.emit({ type: "log", instance: A, logs: `later ${n}` });
  sink.take();
  equal(sink.broken, true);
});

test("slow reader: others do not wait for it", () => {
  const { hub } = stuck();
  const good = new FakeSink();
  hub.attach(good, null);
  for (let n = 1; n <= 2_000; n++) hub.emit({ type: "log", instance: A, logs: `${n}` });
  equal(good.events.length, 2_000);
});
