/** Events of Core: written with their change, passed on once, in order, to streams and webhooks. */
import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { createEventLog, eventJson } from "../../src/core/events/event_log.ts";
import { createEventFeed, type FeedSink } from "../../src/core/events/feed.ts";
import type { CoreEvent, EventLog } from "../../src/core/events/types.ts";
import { SIGNATURE_HEADER, startWebhooks } from "../../src/core/events/webhooks.ts";
import type { CoreParts } from "../../src/core/parts.ts";
import { type Database, num } from "../../src/core/store/database.ts";
import { silentLogger } from "../../src/log/silent.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { deepEqual, equal, match, ok } from "../harness.ts";
import { onEachStore } from "./core_stores.ts";

const runtime = await detectRuntime();
const metrics = { count() {}, observe() {}, gauge() {}, text: () => "" };

/** Waits until `done` is true. */
async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000;
  while (!await done()) {
    if (performance.now() > end) throw new Error("did not happen within 10 s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const logOf = (db: Database): EventLog => createEventLog({ runtime, logger: silentLogger, db });

const emit = (log: EventLog, db: Database, nodeId: number): Promise<void> =>
  db.transaction((tx) => log.emit(tx, { type: "node.online", nodeId, data: {} }));

/** A reader that takes frames as fast as it is told to. */
function sink(): FeedSink & { frames: string[]; takes: boolean; broken: boolean; goOn: () => void; leave: () => void } {
  const self = {
    frames: [] as string[],
    takes: true,
    broken: false,
    goOn: () => {},
    leave: () => {},
    write(frame: string) {
      self.frames.push(frame);
      return self.takes;
    },
    whenWritable(run: () => void) {
      self.goOn = run;
    },
    end: () => self.leave(),
    break() {
      self.broken = true;
      self.leave();
    },
    onClose(run: () => void) {
      self.leave = run;
    },
  };
  return self;
}

const nodesOf = (frames: readonly string[]): number[] =>
  frames.filter((frame) => frame.startsWith("id:")).map((frame) => JSON.parse(/^data: (.*)$/m.exec(frame)![1]!).nodeId);

onEachStore("EventLog passes on what was committed, once and in order, by whichever replica", async (db) => {
  const [one, two] = [logOf(db), logOf(db)];
  await emit(one, db, 1);
  const seen: CoreEvent[] = [];
  one.subscribe((event) => seen.push(event));
  await until(async () => {
    // The first look sets the mark: what was there before is not news.
    await emit(two, db, 2);
    return seen.length > 0;
  });
  const before = seen.length;
  await db.transaction(async (tx) => {
    await one.emit(tx, { type: "node.offline", nodeId: 8, data: {} });
    throw new Error("rolled back");
  }).catch(() => {});
  for (let nodeId = 10; nodeId < 40; nodeId++) await emit(nodeId % 2 === 0 ? one : two, db, nodeId);
  await until(() => seen.some(({ nodeId }) => nodeId === 39));
  const news = seen.slice(before).map(({ nodeId }) => nodeId).filter((nodeId) => nodeId !== 2);
  deepEqual(news, Array.from({ length: 30 }, (_, index) => index + 10));
  equal(new Set(seen.map(({ id }) => id)).size, seen.length);
  deepEqual((await one.recent(2)).map(({ nodeId }) => nodeId), [38, 39]);
  await one.close();
  await two.close();
});

onEachStore("EventFeed resumes after the last id, says when it cannot, and cuts off who takes nothing", async (db) => {
  const log = logOf(db);
  const feed = createEventFeed({ events: log, runtime, metrics });
  for (const nodeId of [1, 2, 3]) await emit(log, db, nodeId);
  const [first] = await log.recent(3);
  const [resumed, fresh, lost] = [sink(), sink(), sink()];
  feed.attach(resumed, first!.id);
  feed.attach(fresh, null);
  feed.attach(lost, "00000000-0000-7000-8000-000000000000");
  await until(() => resumed.frames.length > 0 && lost.frames.length > 1);
  deepEqual(nodesOf(resumed.frames), [2, 3]);
  deepEqual(nodesOf(fresh.frames), []);
  match(lost.frames[1]!, /^event: lagged\n/);
  deepEqual(nodesOf(lost.frames), [1, 2, 3]);
  fresh.takes = false;
  await emit(log, db, 4);
  await until(() => nodesOf(resumed.frames).includes(4) && nodesOf(fresh.frames).includes(4));
  await emit(log, db, 5);
  await until(() => nodesOf(resumed.frames).includes(5));
  deepEqual(nodesOf(fresh.frames), [4]);
  fresh.takes = true;
  fresh.goOn();
  deepEqual(nodesOf(fresh.frames), [4, 5]);
  lost.takes = false;
  await db.transaction(async (tx) => {
    for (let nodeId = 100; nodeId < 2_300; nodeId++) await log.emit(tx, { type: "node.online", nodeId, data: {} });
  });
  await until(() => lost.broken);
  await until(() => nodesOf(resumed.frames).includes(2_299));
  equal(nodesOf(resumed.frames).length, 4 + 2_200);
  ok(!resumed.broken);
  feed.close();
  await log.close();
});

/** A server that answers with what `status` says, and remembers. */
async function receiver(status: () => number) {
  const calls: { request: IncomingMessage; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => body += chunk);
    request.on("end", () => {
      calls.push({ request, body });
      response.writeHead(status(), { Location: "http://127.0.0.1:1/" }).end("thanks");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { calls, url: `http://127.0.0.1:${port}/hook`, close: () => new Promise((resolve) => server.close(resolve)) };
}

/** The sender, run by hand at times of our own. */
function sender(db: Database, allowPrivateNodes: boolean) {
  let wall = Date.now();
  let run: (signal: AbortSignal) => Promise<void> = () => Promise.resolve();
  const clock = { ...runtime.clock, wall: () => wall };
  const jobs = {
    every: (name: string, _: number, work: typeof run) => {
      if (name === "webhooks") run = work;
    },
    close: () => Promise.resolve(),
  };
  const parts = { db, metrics, jobs, logger: silentLogger, settings: { allowPrivateNodes } };
  startWebhooks({ ...parts, runtime: { ...runtime, dns: runtime.dns, clock } } as unknown as CoreParts);
  return { look: () => run(new AbortController().signal), pass: (ms: number) => void (wall += ms) };
}

const addHook = async (db: Database, url: string, types = "[]"): Promise<void> =>
  void await db.exec(
    "INSERT INTO webhooks (url, secret, types, created_at, updated_at) VALUES ($1, 'the secret', $2, 0, 0)",
    [url, types],
  );

onEachStore("webhooks get each event in order, signed, again after a failure, six times at most", async (db) => {
  const log = logOf(db);
  let status = 500;
  const there = await receiver(() => status);
  await addHook(db, there.url, '["node.online"]');
  const hooks = sender(db, true);
  await emit(log, db, 1);
  await db.transaction((tx) => log.emit(tx, { type: "node.offline", nodeId: 9, data: {} }));
  await emit(log, db, 2);
  hooks.pass(1_000);
  await hooks.look();
  equal(there.calls.length, 1);
  hooks.pass(9_000);
  await hooks.look();
  equal(there.calls.length, 1, "the pause before the second try is 10 s");
  status = 204;
  hooks.pass(1_001);
  await hooks.look();
  deepEqual(there.calls.map(({ body }) => JSON.parse(body).nodeId), [1, 1, 2]);
  const { request, body } = there.calls[2]!;
  const [, at, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(request.headers[SIGNATURE_HEADER]))!;
  equal(mac, createHmac("sha256", "the secret").update(`${at}.${body}`).digest("hex"));
  const [last] = await log.recent(1);
  equal(body, eventJson(last!));
  equal(request.headers["x-nodepass-delivery"], last!.id);
  status = 302;
  await emit(log, db, 3);
  for (let tries = 0; tries < 12; tries++) {
    hooks.pass(2_400_000);
    await hooks.look();
  }
  equal(there.calls.length, 3 + 6);
  const [row] = await db.query("SELECT attempts, last_error FROM webhook_deliveries WHERE delivered_at IS NULL");
  equal(num(row?.attempts), 6);
  equal(row?.last_error, "status 302");
  await there.close();
  await log.close();
});

onEachStore("webhooks do not call this machine or private networks unless it was allowed", async (db) => {
  const log = logOf(db);
  const there = await receiver(() => 200);
  await addHook(db, there.url);
  await addHook(db, there.url.replace("127.0.0.1", "localhost"));
  await addHook(db, "http://169.254.169.254/latest");
  const hooks = sender(db, false);
  await emit(log, db, 1);
  hooks.pass(1_000);
  await hooks.look();
  equal(there.calls.length, 0);
  const rows = await db.query("SELECT last_error FROM webhook_deliveries");
  equal(rows.length, 3);
  for (const { last_error } of rows) match(String(last_error), /may not be dialled/);
  await there.close();
  await log.close();
});
