import type { Conn } from "../../src/runtime/types.ts";
import { createAuthority } from "../conformance/runtime_certificates.ts";
import { deepEqual, equal, match, ok, test } from "../harness.ts";
import { keyView, view } from "../unit/master/events_fixture.ts";
import { EventReader, type EventServer, neverRead, startEvents } from "./events_fixture.ts";
import { until } from "./load.ts";

const A = view("aaaaaaaa");

function urlOf({ server }: EventServer): string {
  return `http://127.0.0.1:${server.addr.port}/events`;
}

test("events: the head, the retry time and the initials come at once", async () => {
  await using events = await startEvents([keyView(), A]);
  const asked = performance.now();
  await using reader = await EventReader.open(urlOf(events));
  await reader.count(2);
  ok(performance.now() - asked < 1_000);
  equal(reader.status, 200);
  equal(reader.headers.get("content-type"), "text/event-stream");
  equal(reader.headers.get("x-before"), "kept");
  equal(reader.preface, "retry: 3000");
  deepEqual(reader.story, ["initial ********", "initial aaaaaaaa"]);
  deepEqual(reader.frames.map(({ event }) => event), ["instance", "instance"]);
  match(reader.frames[0]!.data.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test("events: what happens arrives, and a resume sends what was missed", async () => {
  await using events = await startEvents([A]);
  let last: string | null;
  {
    await using reader = await EventReader.open(urlOf(events));
    await reader.count(1);
    events.hub.emit({ type: "log", instance: A, logs: "one" });
    await reader.count(2);
    last = reader.frames[1]!.id;
    equal(last, "1-1");
  }
  await until("the reader is forgotten", () => events.hub.readers === 0);
  for (const logs of ["two", "three"]) events.hub.emit({ type: "log", instance: A, logs });
  await using back = await EventReader.open(urlOf(events), { "Last-Event-ID": last! });
  await back.count(3);
  deepEqual(back.story, ["log aaaaaaaa two", "log aaaaaaaa three", "initial aaaaaaaa"]);
  await using other = await EventReader.open(urlOf(events), { "Last-Event-ID": "0-1" });
  await other.count(2);
  equal(other.frames[0]!.event, "lagged");
});

test("events: HEAD has the type and ends", async () => {
  await using events = await startEvents([A]);
  const response = await fetch(urlOf(events), { method: "HEAD" });
  equal(response.headers.get("content-type"), "text/event-stream");
  equal(await response.text(), "");
  equal(events.hub.readers, 0);
});

test("events: shutdown is the last event, then the stream ends cleanly", async () => {
  await using events = await startEvents([A]);
  const stuck = await stuckReader(events);
  await using reader = await EventReader.open(urlOf(events));
  await reader.count(1);
  const asked = performance.now();
  await events.hub.endAll();
  ok(performance.now() - asked < 1_500);
  equal(await reader.ended(), "clean");
  const { data } = reader.frames.at(-1)!;
  deepEqual([data.type, data.instance, data.logs], ["shutdown", null, ""]);
  equal(events.hub.readers, 0);
  stuck.close();
});

for (const tls of [false, true]) {
  test(`events: a reader that is too slow is broken off without a clean end${tls ? ", inside TLS" : ""}`, async () => {
    const authority = tls ? await createAuthority("Authority of events") : null;
    const certificate = authority === null ? undefined : await authority.issue(["events.test"]);
    await using events = await startEvents([], certificate === undefined ? {} : { certificate });
    const stuck = await stuckReader(events, authority?.caPem);
    for (let n = 0; n < 300; n++) events.hub.emit({ type: "create", instance: view(`${n}`), logs: "" });
    await until("it is gone", () => events.hub.readers === 0 && events.server.connections === 0);
    equal((await restOf(stuck)).endsWith("\r\n0\r\n\r\n"), false);
    stuck.close();
  });
}

test("events: 20 readers that never read cost the others nothing", async () => {
  await using events = await startEvents([A]);
  const stuck = [];
  for (let n = 0; n < 20; n++) stuck.push(await stuckReader(events));
  await using healthy = await EventReader.open(urlOf(events));
  await healthy.count(1);
  equal(events.hub.readers, 21);
  const lost = events.hub.dropped;
  const sent = new Map<string, number>();
  for (let n = 0; n < 100; n++) {
    const logs = `${n}:${"x".repeat(8_000)}`;
    sent.set(logs, performance.now());
    events.hub.emit({ type: "log", instance: A, logs });
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await healthy.count(101);
  ok(events.hub.dropped > lost, "the stuck ones lose lines");
  const delays = healthy.frames.slice(1).map(({ data }, n) => healthy.times[1 + n]! - sent.get(data.logs)!);
  const p99 = delays.sort((a, b) => a - b)[98]!;
  ok(p99 <= 100, `p99 of the healthy reader: ${Math.round(p99)} ms`);
  for (const conn of stuck) conn.close();
});

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
