import { deepEqual, equal, ok, test } from "../../harness.ts";
import { escapeControls } from "../../../src/core/nodes/node_errors.ts";
import { sweepStalled } from "../../../src/core/nodes/stalled.ts";
import { type NodeStage, stageTest } from "./node_fixture.ts";

const idle = new AbortController().signal;

async function run(stage: NodeStage, job: string): Promise<void> {
  const work = stage.jobs.get(job);
  ok(work, job);
  await work(idle);
}

async function post(stage: NodeStage, authKey: string, path: string, body: unknown): Promise<Response> {
  return await stage.call("POST", path, { body, headers: { "x-node-auth-key": authKey } });
}

async function nodes(stage: NodeStage, columns: string): Promise<unknown[]> {
  const rows = await stage.db.query<Record<string, unknown>>(`SELECT ${columns} FROM nodes ORDER BY id`);
  return rows.map((row) => Object.values(row).map((value) => typeof value === "bigint" ? Number(value) : value));
}

const types = (stage: NodeStage): string[] => stage.events.map(({ type }) => type);

stageTest(
  "a node is online from its first heartbeat, and offline after 30 s of silence, with one event each",
  async (open) => {
    const stage = await open();
    const { authKey } = await stage.node();
    deepEqual(await nodes(stage, "status, last_seen_at"), [["offline", null]]);
    await post(stage, authKey, "/node/heartbeat", {});
    deepEqual(await nodes(stage, "status, last_seen_at"), [["online", stage.clock.wall()]]);
    for (let index = 0; index < 5; index++) {
      stage.clock.advance(10_000);
      await post(stage, authKey, "/node/heartbeat", {});
      await run(stage, "nodes.silent");
    }
    deepEqual(await nodes(stage, "status, last_seen_at"), [["online", stage.clock.wall()]]);
    const last = stage.clock.wall();
    stage.clock.advance(30_000);
    await run(stage, "nodes.silent");
    deepEqual(await nodes(stage, "status"), [["online"]]);
    stage.clock.advance(1);
    await run(stage, "nodes.silent");
    await run(stage, "nodes.silent");
    deepEqual(await nodes(stage, "status, last_seen_at"), [["offline", last]]);
    await post(stage, authKey, "/node/heartbeat", {});
    deepEqual(await nodes(stage, "status"), [["online"]]);
    deepEqual(types(stage), ["node.registered", "node.online", "node.offline", "node.online"]);
  },
);

stageTest("the pause in which Core was away makes nobody offline", async (open) => {
  const stage = await open();
  const { authKey } = await stage.node();
  await post(stage, authKey, "/node/heartbeat", {});
  await stage.db.exec("UPDATE nodes SET last_seen_at = last_seen_at - 3600000");
  const later = await open({ db: stage.db });
  await run(later, "nodes.silent");
  deepEqual(await nodes(later, "status"), [["online"]]);
  later.clock.advance(29_999);
  await run(later, "nodes.silent");
  deepEqual(await nodes(later, "status"), [["online"]]);
  later.clock.advance(1);
  await run(later, "nodes.silent");
  deepEqual(await nodes(later, "status"), [["offline"]]);
});

stageTest("heartbeats are written in batches; what was not written yet is at the end", async (open) => {
  const stage = await open();
  const { authKey } = await stage.node();
  await post(stage, authKey, "/node/heartbeat", {});
  const first = stage.clock.wall();
  stage.clock.advance(3_000);
  await post(stage, authKey, "/node/heartbeat", {});
  deepEqual(await nodes(stage, "last_seen_at"), [[first]]);
  await run(stage, "nodes.heard");
  deepEqual(await nodes(stage, "last_seen_at"), [[first + 3_000]]);
  stage.clock.advance(3_000);
  await post(stage, authKey, "/node/heartbeat", {});
  await stage.service.close();
  deepEqual(await nodes(stage, "last_seen_at"), [[first + 6_000]]);
});

stageTest("a thousand nodes that fall silent", async (open) => {
  const stage = await open();
  await stage.db.execMany(
    `INSERT INTO nodes (code, name, ip, port, region, status, created_at, updated_at)
     VALUES ($1, $1, '203.0.113.7', 80, 'eu', 'online', 0, 0)`,
    Array.from({ length: 1_001 }, (_, index) => [`n${index}`]),
  );
  stage.clock.advance(60_000);
  await run(stage, "nodes.silent");
  equal(types(stage).filter((type) => type === "node.offline").length, 1_001);
  equal(new Set(stage.events.map(({ nodeId }) => nodeId)).size, 1_001);
});

stageTest("an address that changed is taken over, with a row in the audit log", async (open) => {
  const stage = await open();
  const { authKey } = await stage.node();
  await post(stage, authKey, "/node/heartbeat", { ip: "203.0.113.7" });
  await post(stage, authKey, "/node/heartbeat", { ip: "::ffff:203.0.113.7" });
  const moved = async (): Promise<unknown[]> => {
    const rows = await stage.db.query(
      "SELECT actor, target, ip, details FROM audit_log WHERE action = 'node.ip_changed'",
    );
    return rows.map((row) => ({ ...row }));
  };
  deepEqual(await moved(), []);
  await post(stage, authKey, "/node/heartbeat", { ip: "2001:DB8::1" });
  await post(stage, authKey, "/node/heartbeat", { ip: "2001:db8:0::1" });
  await post(stage, authKey, "/node/heartbeat", {});
  deepEqual(await nodes(stage, "ip"), [["2001:db8::1"]]);
  deepEqual(await moved(), [{
    actor: "node:1",
    target: "node:1",
    ip: "198.51.100.1",
    details: '{"from":"203.0.113.7","to":"2001:db8::1"}',
  }]);
});

stageTest("what an agent can run is noted when it changes", async (open) => {
  const stage = await open();
  const { authKey } = await stage.node();
  const noted: unknown[] = [];
  for (const services of [undefined, "nodepass", "nodepass, xray", "xray,nodepass", undefined]) {
    const headers = { "x-node-auth-key": authKey, ...(services === undefined ? {} : { "x-agent-services": services }) };
    await stage.call("POST", "/node/heartbeat", { body: {}, headers });
    noted.push(...await nodes(stage, "agent_services"));
  }
  deepEqual(noted, [[null], ["nodepass"], ["nodepass,xray"], ["nodepass,xray"], [null]]);
});

stageTest("what went wrong on a node: status, text, one a second", async (open) => {
  const stage = await open();
  const { authKey } = await stage.node();
  await post(stage, authKey, "/node/heartbeat", {});
  const answer = await post(stage, authKey, "/node/error", {
    message: "xray\nexited \u001b[31m23",
    code: "CONFIG_APPLY_FAILED",
    details: { revision: 42 },
  });
  equal(answer.status, 200);
  deepEqual(
    await nodes(stage, "status, sync_status, error_from_sync, last_error_code, last_error_message, last_error_details"),
    [["error", "failed", 1, "CONFIG_APPLY_FAILED", "xray\\nexited \\u001b[31m23", '{"revision":42}']],
  );
  for (let index = 0; index < 50; index++) {
    equal((await post(stage, authKey, "/node/error", { message: `again ${index}` })).status, 200);
  }
  deepEqual(await nodes(stage, "last_error_message"), [["xray\\nexited \\u001b[31m23"]]);
  await stage.clock.advanceSteps(1_000);
  await stage.service.close();
  deepEqual(await nodes(stage, "last_error_message, last_error_code"), [["again 49", null]]);
  const errors = stage.events.filter(({ type }) => type === "node.error");
  deepEqual(errors.map(({ data }) => data.count), [1, 50]);
});

stageTest("errors that wait are written at the end, and disabled nodes stay disabled", async (open) => {
  const stage = await open();
  const { authKey, nodeId } = await stage.node();
  await post(stage, authKey, "/node/error", { message: "one" });
  await post(stage, authKey, "/node/error", { message: "two" });
  await stage.service.close();
  deepEqual(await nodes(stage, "status, last_error_message"), [["error", "two"]]);
  equal(stage.clock.pending > 0 && stage.clock.now() === 0 || stage.clock.pending === 0, true);
  await stage.db.exec("UPDATE nodes SET status = 'disabled'");
  await stage.service.nodeError({ nodeId, keyId: "", ip: "", agentServices: [] }, { message: "three" });
  deepEqual(await nodes(stage, "status, last_error_message"), [["disabled", "two"]]);
});

stageTest("a node that applied the desired revision is online again", async (open) => {
  const stage = await open();
  const { authKey } = await stage.node();
  await stage.composition.flush();
  await post(stage, authKey, "/node/heartbeat", {});
  await post(stage, authKey, "/node/error", { message: "one" });
  await post(stage, authKey, "/node/heartbeat", {});
  deepEqual(await nodes(stage, "status, sync_status"), [["error", "failed"]]);
  await (await stage.call("GET", "/node/config/latest", { headers: { "x-node-auth-key": authKey } })).text();
  await post(stage, authKey, "/node/config/applied", { revision: 1 });
  deepEqual(await nodes(stage, "status, sync_status"), [["online", "synced"]]);
});

stageTest("a node that fetched and never said anything waits again after five minutes", async (open) => {
  const stage = await open();
  const { authKey } = await stage.node();
  await stage.composition.flush();
  await (await stage.call("GET", "/node/config/latest", { headers: { "x-node-auth-key": authKey } })).text();
  deepEqual(await nodes(stage, "sync_status"), [["delivering"]]);
  stage.clock.advance(300_000);
  await sweepStalled(stage.parts);
  deepEqual(await nodes(stage, "sync_status"), [["delivering"]]);
  stage.clock.advance(1);
  await sweepStalled(stage.parts);
  await sweepStalled(stage.parts);
  deepEqual(await nodes(stage, "sync_status"), [["pending"]]);
  deepEqual(types(stage).filter((type) => type === "node.sync_stalled"), ["node.sync_stalled"]);
});

stageTest("session events: once each, for users that the node was sent", async (open) => {
  const stage = await open();
  const { authKey, nodeId } = await stage.node();
  await stage.db.exec("INSERT INTO delivered_pairs VALUES ($1, 3, 9, 0, 0)", [nodeId]);
  const event = { userId: 9, protocol: "vless", eventType: "online", occurredAt: "2025-01-01T00:00:00.120Z" };
  const events = [
    event,
    { ...event, eventType: "OFFLINE" },
    { ...event, ipAddress: "::ffff:198.51.100.4" },
    { ...event, ipAddress: "198.51.100.4" },
    { ...event, occurredAt: "2025-01-01T01:00:00.120+01:00" },
    { ...event, userId: 10 },
  ];
  for (let index = 0; index < 3; index++) {
    equal((await post(stage, authKey, "/node/session-events", { events })).status, 200);
  }
  const rows = await stage.db.query(
    "SELECT user_id, protocol, event_type, ip_address FROM session_events ORDER BY event_type, ip_address",
  );
  deepEqual(rows.map((row) => Object.values(row).map((value) => typeof value === "bigint" ? Number(value) : value)), [
    [9, "vless", "offline", ""],
    [9, "vless", "online", ""],
    [9, "vless", "online", "198.51.100.4"],
  ]);
  for (const wrong of [{ ...event, protocol: "http" }, { ...event, eventType: "away" }, { ...event, ipAddress: "x" }]) {
    equal((await post(stage, authKey, "/node/session-events", { events: [event, wrong] })).status, 400);
  }
});

stageTest("session events of long ago are deleted", async (open) => {
  const stage = await open();
  const day = 86_400_000;
  const now = stage.clock.wall();
  await stage.db.execMany(
    "INSERT INTO session_events VALUES (1, 1, 'vless', 'online', $1, '')",
    [[now - 91 * day], [now - 90 * day - 1], [now - 90 * day], [now]],
  );
  await run(stage, "nodes.session_events");
  equal((await stage.db.query("SELECT 1 AS one FROM session_events")).length, 2);
});

stageTest("intervals grow with the fleet, and shrink while somebody looks", async (open) => {
  const { createIntervals } = await import("../../../src/core/nodes/intervals.ts");
  const stage = await open();
  const intervals = createIntervals(stage.parts);
  const add = async (count: number): Promise<void> => {
    const [row] = await stage.db.query<{ n: bigint }>("SELECT COUNT(*) AS n FROM nodes");
    await stage.db.execMany(
      `INSERT INTO nodes (code, name, ip, port, region, created_at, updated_at)
       VALUES ($1, $1, '203.0.113.7', 80, 'eu', 0, 0)`,
      Array.from({ length: count }, (_, index) => [`n${Number(row?.n) + index}`]),
    );
    await intervals.count();
  };
  await add(500);
  deepEqual(intervals.of(1), { heartbeat: 10_000, stats: 2_000, online: 5_000, usage: 60_000 });
  await add(1);
  deepEqual(intervals.of(1), { heartbeat: 10_000, stats: 10_000, online: 8_000, usage: 60_000 });
  intervals.watch(1);
  equal(intervals.of(1).stats, 2_000);
  equal(intervals.of(2).stats, 10_000);
  stage.clock.advance(60_000);
  equal(intervals.of(1).stats, 10_000);
  await add(9_499);
  equal(intervals.of(1).stats, 30_000);
});

test("control characters become escapes", () => {
  equal(escapeControls("a\tb\r\n\u0000\u0085\u2028\u007fé😀"), "a\\tb\\r\\n\\u0000\\u0085\\u2028\\u007fé😀");
});
