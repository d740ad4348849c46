import { FRAME_BYTES } from "../../../src/master/events/frames.ts";
import { deepEqual, equal, match, ok, test } from "../../harness.ts";
import { FakeSink, hubOf, keyView, view } from "./events_fixture.ts";

test("Hub: a new reader gets the retry time and an initial for each instance", () => {
  const { hub } = hubOf([keyView(), view("aaaaaaaa")]);
  const sink = new FakeSink();
  hub.attach(sink, null);
  equal(sink.frames[0], "retry: 3000\n\n");
  deepEqual(sink.story, ["initial ********", "initial aaaaaaaa"]);
  deepEqual(sink.events.map(({ id }) => id), ["7-0", null]);
  match(
    sink.frames[1]!,
    /^id: 7-0\nevent: instance\ndata: \{"type":"initial","time":"2026-01-01T00:00:00.000Z","instance":\{"id":"/,
  );
  match(sink.frames[2]!, /,"logs":""\}\n\n$/);
});

test("Hub: the key is in no event", () => {
  const { hub } = hubOf([keyView()]);
  const sink = new FakeSink();
  hub.attach(sink, null);
  hub.emit({ type: "update", instance: keyView(), logs: "" });
  equal(sink.events[1]?.data.instance?.url, "");
  equal(sink.frames.join("").includes(keyView().url), false);
});

test("Hub: events reach every reader with rising ids", () => {
  const { hub, clock } = hubOf([]);
  const sinks = [new FakeSink(), new FakeSink()];
  for (const sink of sinks) hub.attach(sink, null);
  equal(hub.readers, 2);
  const instance = view("aaaaaaaa");
  hub.emit({ type: "create", instance, logs: "" });
  clock.advance(1_500);
  hub.emit({ type: "log", instance, logs: "one line" });
  hub.emit({ type: "delete", instance, logs: "" });
  for (const sink of sinks) {
    deepEqual(sink.story, ["create aaaaaaaa", "log aaaaaaaa one line", "delete aaaaaaaa"]);
    deepEqual(sink.events.map(({ id }) => id), ["7-1", "7-2", "7-3"]);
    equal(sink.events[1]?.data.time, "2026-01-01T00:00:01.500Z");
  }
});

test("Hub: a reader that comes back gets what it missed, then the initials", () => {
  const { hub } = hubOf([view("aaaaaaaa")]);
  const instance = view("aaaaaaaa");
  for (const line of ["1", "2", "3"]) hub.emit({ type: "log", instance, logs: line });
  const sink = new FakeSink();
  hub.attach(sink, "7-1");
  deepEqual(sink.story, ["log aaaaaaaa 2", "log aaaaaaaa 3", "initial aaaaaaaa"]);
  deepEqual(sink.events.map(({ id }) => id), ["7-2", "7-3", null]);
});

test("Hub: a reader that missed too much, or comes from another run, is told so first", () => {
  const { hub } = hubOf([view("aaaaaaaa")]);
  const instance = view("aaaaaaaa");
  for (let n = 1; n <= 1_001; n++) hub.emit({ type: "log", instance, logs: `${n}` });
  for (const id of ["7-0", "6-900", "7-1002", "nonsense"]) {
    const sink = new FakeSink();
    hub.attach(sink, id);
    equal(sink.frames[0], "retry: 3000\n\n");
    equal(sink.events[0]?.event, "lagged", id);
    deepEqual(sink.story, ["lagged", "initial aaaaaaaa"]);
    equal(sink.events[1]?.id, "7-1001");
  }
  const back = new FakeSink();
  hub.attach(back, "7-1");
  equal(back.events.length, 1_001);
  equal(back.events[0]?.id, "7-2");
});

test("Hub: at most 8 MiB are kept for readers that come back", () => {
  const { hub } = hubOf([]);
  const line = "é".repeat(8_000);
  for (let n = 1; n <= 1_000; n++) hub.emit({ type: "log", instance: view("aaaaaaaa"), logs: line });
  const gone = new FakeSink();
  hub.attach(gone, "7-400");
  equal(gone.events[0]?.event, "lagged");
  const back = new FakeSink();
  hub.attach(back, "7-550");
  equal(back.events.length, 450);
});

test("Hub: initials are pulled as the reader takes them, and show what is then", () => {
  const { hub, instances } = hubOf([view("aaaaaaaa"), view("bbbbbbbb"), view("cccccccc")]);
  const sink = new FakeSink(2);
  hub.attach(sink, null);
  equal(sink.frames.length, 2);
  instances[1] = view("bbbbbbbb", { alias: "later" });
  instances.splice(2, 1);
  sink.take();
  deepEqual(sink.story, ["initial aaaaaaaa", "initial bbbbbbbb"]);
  equal(sink.events[1]?.data.instance?.alias, "later");
});

test("Hub: frames stay below 64 KiB, log lines below 16 KiB, in whole characters", () => {
  const { hub } = hubOf([]);
  const sink = new FakeSink();
  hub.attach(sink, null);
  const fat = view("aaaaaaaa", {
    url: "u".repeat(4_096),
    meta: { ...view("x").meta, tags: { a: "t".repeat(16_000) } },
  });
  for (const line of ["x".repeat(20_000), "🙂".repeat(20_000), "\u0000".repeat(16_384)]) {
    hub.emit({ type: "log", instance: fat, logs: line });
  }
  const bytes = (text: string) => new TextEncoder().encode(text).length;
  for (const frame of sink.frames) ok(bytes(frame) < FRAME_BYTES, `${bytes(frame)} bytes`);
  const [plain, wide, escaped] = sink.events.slice(-3).map(({ data }) => data.logs);
  equal(bytes(plain!), 16_384);
  match(wide!, /^(🙂)+…$/u);
  match(escaped!, /^\0+…$/);
});

test("Hub: the end is told to everyone, and a reader that hangs is cut after a second", async () => {
  const { hub, clock } = hubOf([view("aaaaaaaa")]);
  const good = new FakeSink();
  const slow = new FakeSink(1);
  slow.end = () => void (slow.ended = true);
  hub.attach(good, null);
  hub.attach(slow, null);
  const ending = hub.endAll();
  deepEqual(good.events.at(-1)?.data, { type: "shutdown", time: "2026-01-01T00:00:00.000Z", instance: null, logs: "" });
  deepEqual(slow.story, ["shutdown"]);
  deepEqual([good.ended, good.broken, slow.ended, slow.broken], [true, false, true, false]);
  clock.advance(1_000);
  equal(slow.broken, true);
  await ending;
  equal(hub.readers, 0);
  equal(clock.pending, 0);
  const next = new FakeSink();
  hub.attach(next, null);
  deepEqual(next.story, ["initial aaaaaaaa"]);
});

test("Hub: a reader whose connection is gone is forgotten", async () => {
  const { hub } = hubOf([]);
  const sink = new FakeSink();
  hub.attach(sink, null);
  sink.close();
  await Promise.resolve();
  equal(hub.readers, 0);
  hub.emit({ type: "create", instance: view("aaaaaaaa"), logs: "" });
  equal(sink.events.length, 0);
});
