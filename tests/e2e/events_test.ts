import type { Conn } from "../../src/runtime/types.ts";
import { createAuthority } from "../conformance/runtime_certificates.ts";
import { deepEqual, equal, match, ok, test } from "../harness.ts";
import { keyView, view } from "../unit/master/events_fixture.ts";
import { type EventServer, neverRead, withEvents } from "./events_fixture.ts";
import { until } from "./load.ts";

const A = view("aaaaaaaa");

test("events: the head, the retry time and the initials come at once", () =>
  withEvents([keyView(), A], async (events) => {
    const asked = performance.now();
    const reader = await events.read();
    await reader.count(2);
    ok(performance.now() - asked < 1_000);
    equal(reader.status, 200);
    equal(reader.headers.get("content-type"), "text/event-stream");
    equal(reader.headers.get("x-before"), "kept");
    equal(reader.preface, "retry: 3000");
    deepEqual(reader.story, ["initial ********", "initial aaaaaaaa"]);
    deepEqual(reader.frames.map(({ event }) => event), ["instance", "instance"]);
    match(reader.frames[0]!.data.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  }));

test("events: what happens arrives, and a resume sends what was missed", () =>
  withEvents([A], async ({ hub, read }) => {
    const reader = await read();
    await reader.count(1);
    hub.emit({ type: "log", instance: A, logs: "one" });
    await reader.count(2);
    const last = reader.frames[1]!.id!;
    equal(last, "1-1");
    await reader.close();
    await until("the reader is forgotten", () => hub.readers === 0);
    for (const logs of ["two", "three"]) hub.emit({ type: "log", instance: A, logs });
    const back = await read({ "Last-Event-ID": last });
    await back.count(3);
    deepEqual(back.story, ["log aaaaaaaa two", "log aaaaaaaa three", "initial aaaaaaaa"]);
    const other = await read({ "Last-Event-ID": "0-1" });
    await other.count(2);
    equal(other.frames[0]!.event, "lagged");
  }));

test("events: HEAD has the type and ends", () =>
  withEvents([A], async ({ hub, server }) => {
    const response = await fetch(`http://127.0.0.1:${server.addr.port}/events`, { method: "HEAD" });
    equal(response.headers.get("content-type"), "text/event-stream");
    equal(await response.text(), "");
    equal(hub.readers, 0);
  }));

test("events: shutdown is the last event, then the stream ends cleanly", () =>
  withEvents([A], async (events) => {
    const stuck = await stuckReader(events);
    const reader = await events.read();
    await reader.count(1);
    const asked = performance.now();
    await events.hub.endAll();
    ok(performance.now() - asked < 1_500);
    equal(await reader.ended(), "clean");
    const { data } = reader.frames.at(-1)!;
    deepEqual([data.type, data.instance, data.logs], ["shutdown", null, ""]);
    equal(events.hub.readers, 0);
    stuck.close();
  }));

test("events: a reader that is too slow is broken off without a clean end", () =>
  withEvents([], async (events) => await breaksOff(events)));

test("events: a reader that is too slow is broken off without a clean end, inside TLS", async () => {
  const { caPem, issue } = await createAuthority("Authority of events");
  await withEvents([], async (events) => await breaksOff(events, caPem), await issue(["events.test"]));
});

async function breaksOff(events: EventServer, caPem?: string): Promise<void> {
  const { hub, server } = events;
  const stuck = await stuckReader(events, caPem);
  for (let n = 0; n < 300; n++) hub.emit({ type: "create", instance: view(`${n}`), logs: "" });
  await until("it is gone", () => hub.readers === 0 && server.connections === 0);
  equal((await restOf(stuck)).endsWith("\r\n0\r\n\r\n"), false);
  stuck.close();
}

test("events: 20 readers that never read cost the others nothing", () =>
  withEvents([A], async (events) => {
    const stuck: Conn[] = [];
    for (let n = 0; n < 20; n++) stuck.push(await stuckReader(events));
    const healthy = await events.read();
    await healthy.count(1);
    equal(events.hub.readers, 21);
    const lost = events.hub.dropped;
    const sent: number[] = [];
    for (let n = 0; n < 100; n++) {
      sent.push(performance.now());
      events.hub.emit({ type: "log", instance: A, logs: "x".repeat(8_000) });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await healthy.count(101);
    ok(events.hub.dropped > lost, "the stuck ones lose lines");
    const delays = sent.map((at, n) => healthy.times[1 + n]! - at).sort((a, b) => a - b);
    // A busy machine adds its own delays; measured alone it is 100 ms at most.
    ok(delays[98]! <= 300, `p99 of the healthy reader: ${Math.round(delays[98]!)} ms`);
    for (const conn of stuck) conn.close();
  }));

/** A reader that never reads, while readers lose lines. */
async function stuckReader({ hub, server }: EventServer, caPem?: string): Promise<Conn> {
  const readers = hub.readers;
  const conn = await neverRead(server.addr, "/events", caPem);
  await until("it is attached", () => hub.readers > readers);
  const lost = hub.dropped;
  const logs = "y".repeat(16_000);
  await until("lines are lost", () => {
    for (let n = 0; n < 100; n++) hub.emit({ type: "log", instance: A, logs });
    return hub.dropped > lost;
  });
  return conn;
}

/** The last bytes that still come. */
async function restOf(conn: Conn): Promise<string> {
  const into = new Uint8Array(65_536);
  let text = "";
  try {
    for (let count = await conn.read(into); count !== null; count = await conn.read(into)) {
      text = (text + new TextDecoder().decode(into.subarray(0, count))).slice(-1_000);
    }
  } catch {
    // A reset ends it, too.
  }
  return text;
}
