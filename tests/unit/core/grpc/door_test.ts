import { status as Status } from "@grpc/grpc-js";
import { Failure } from "../../../../src/core/failure.ts";
import type { NodeService } from "../../../../src/core/node_calls.ts";
import { detectRuntime } from "../../../../src/runtime/detect.ts";
import { deepEqual, equal, match, ok, rejects, test } from "../../../harness.ts";
import { KEY, methods, NodeClient, openDoor, withDoor } from "./door_fixture.ts";

const NOW = "2026-11-21T10:04:00Z";
const AT = Date.UTC(2026, 10, 21, 10, 4);
const UUID = "0d4c7f2a-91b6-4e38-8a55-2f7be1c09d14";

test("startGrpc: a heartbeat gets its answer, and the head says what the agent obeys", () =>
  withDoor(async (fixture, client) => {
    const { answer, code, head } = await client.call(methods.heartbeat, { revision: 41n, ip: "::ffff:203.0.113.7" }, {
      "x-node-auth-key": KEY,
      "x-config-hash": "ABC",
      "x-agent-services": "nodepass",
    });
    equal(code, Status.OK);
    equal(answer?.needSync, true);
    equal(answer?.ok, true);
    deepEqual(fixture.noted[0]?.input, { ip: "203.0.113.7", revision: 41, configHash: "abc" });
    deepEqual(fixture.asked[0], { keys: [KEY], ip: "127.0.0.1", agentServices: "nodepass", access: "heartbeat" });
    deepEqual(head.get("x-core-intervals"), ["hb=10000,stats=2000,online=5000,usage=60000"]);
    match(String(head.get("x-core-time")[0]), /^\d{13}$/);
    match(String(head.get("x-request-id")[0]), /^[0-9a-f-]{36}$/);
  }));

test("startGrpc: a heartbeat without members says that nothing was applied", () =>
  withDoor(async (fixture, client) => {
    equal((await client.call(methods.heartbeat, {})).code, Status.OK);
    deepEqual(fixture.noted[0]?.input, { ip: undefined, revision: undefined, configHash: undefined });
  }));

test("startGrpc: reports arrive with their place, times as numbers, addresses canonical", () =>
  withDoor(async (fixture, client) => {
    const place = { "x-node-auth-key": KEY, "x-report-stream": UUID.toUpperCase(), "x-report-seq": "7" };
    const entry = { userId: 9n, nodeProtocolId: 3n, bytesUp: 2n ** 53n - 1n, bytesDown: 0n, recordedAt: NOW };
    await client.call(methods.reportUsage, { entries: [{ ...entry, subscriptionId: 12n }, entry] }, {
      ...place,
      "x-report-gap": "1",
    });
    await client.call(methods.reportOutboundUsage, { items: [{ tag: "direct", bytesUp: 1n, bytesDown: 2n }] }, place);
    await client.call(methods.reportOnlineUsers, {
      users: [{
        userId: 9n,
        nodeProtocolId: 3n,
        ips: [{ ip: "::FFFF:1.2.3.4", lastSeen: NOW }, { ip: "nowhere", lastSeen: NOW }],
      }],
    });
    const read = { userId: 9, nodeProtocolId: 3, bytesUp: Number.MAX_SAFE_INTEGER, bytesDown: 0, recordedAt: AT };
    deepEqual(fixture.noted.map(({ call, input }) => [call, input]), [
      ["usage", {
        stream: UUID,
        seq: 7,
        gap: true,
        entries: [{ ...read, subscriptionId: 12 }, { ...read, subscriptionId: null }],
      }],
      ["outboundUsage", { stream: UUID, seq: 7, items: [{ tag: "direct", bytesUp: 1, bytesDown: 2 }] }],
      ["onlineUsers", {
        users: [{ userId: 9, nodeProtocolId: 3, ips: [{ ip: "1.2.3.4", lastSeen: AT }] }],
        droppedIps: 1,
      }],
    ]);
  }));

test("startGrpc: a snapshot, with what the node does not run left out", () =>
  withDoor(async (fixture, client) => {
    await client.call(methods.reportNodeStats, {
      system: { uptimeSeconds: 5n, cpuPercent: 130.5, cpuCores: 4, netRxTotal: 2n ** 52n },
      xray: { running: true },
      mtprotoJson: JSON.stringify({ "mt-1": { running: true, connectionsCurrent: 3, activeUsers: 2, later: 1 } }),
      nodepassJson: "{}",
    });
    await client.call(methods.reportNodeStats, {});
    const zeros = { ramUsed: 0, ramTotal: 0, diskUsed: 0, diskTotal: 0, netRxPerSec: 0, netTxPerSec: 0, netTxTotal: 0 };
    const [full, empty] = fixture.noted.map(({ input }) => JSON.parse(JSON.stringify(input)));
    deepEqual(full, {
      system: { ...zeros, uptimeSeconds: 5, cpuPercent: 100, cpuCores: 4, netRxTotal: 2 ** 52 },
      xray: { running: true },
      mtproto: { "mt-1": { running: true, connectionsCurrent: 3, activeUsers: 2 } },
      nodepass: {},
    });
    deepEqual(empty, {});
  }));

test("startGrpc: the configuration travels as it is stored, a confirmation as a number", () =>
  withDoor(async (fixture, client) => {
    const { answer } = await client.call(methods.getLatestConfig, {});
    equal(answer?.revision, 42n);
    equal(answer?.servicesJson, '{"name":"Grüße"}');
    equal(answer?.clientMapJson, '{"a":1}');
    await client.call(methods.confirmConfigApplied, { revision: 42n });
    deepEqual(fixture.noted[1]?.input, { revision: 42 });
  }));

test("startGrpc: every call is refused without a key, with another one and with two", () =>
  withDoor(async (fixture, client) => {
    const all = Object.values(methods);
    equal(all.length, 7);
    for (const method of all) {
      const call = (headers: Record<string, string | string[]>, authKey = "") =>
        client.call(method as typeof methods.heartbeat, { authKey }, headers);
      const none = await call({});
      equal(none.code, Status.UNAUTHENTICATED, method.name);
      deepEqual(none.trailers.get("x-error-code"), ["AUTH_REQUIRED"]);
      deepEqual(none.head.get("x-core-time"), []);
      equal((await call({ "x-node-auth-key": "" })).code, Status.UNAUTHENTICATED);
      equal((await call({ "x-node-auth-key": "other" })).code, Status.UNAUTHENTICATED);
      equal((await call({}, "other")).code, Status.UNAUTHENTICATED);
      equal((await call({ "x-node-auth-key": KEY }, "other")).code, Status.UNAUTHENTICATED);
      equal((await call({ "x-node-auth-key": "other" }, KEY)).code, Status.UNAUTHENTICATED);
      equal((await call({ "x-node-auth-key": [KEY, KEY] })).code, Status.UNAUTHENTICATED);
    }
    equal(fixture.noted.length, 0);
  }));

test("startGrpc: a key in the message alone is enough, the same one in both places too", () =>
  withDoor(async (_, client) => {
    equal((await client.call(methods.heartbeat, { authKey: KEY }, {})).code, Status.OK);
    equal((await client.call(methods.heartbeat, { authKey: KEY })).code, Status.OK);
  }));

test("startGrpc: a refusal becomes its status, and says how to go on", () =>
  withDoor(async (fixture, client) => {
    const failing = async (failure: Error) => {
      fixture.fail = () => Promise.reject(failure);
      return await client.call(methods.reportUsage, { entries: [] });
    };
    const gap = await failing(new Failure("SEQ_GAP", "Reports are missing", { nextSeq: 8 }));
    equal(gap.code, Status.FAILED_PRECONDITION);
    deepEqual(gap.trailers.get("x-report-next"), ["8"]);
    const limited = await failing(new Failure("RATE_LIMITED", "Too many calls", { retryAfterMs: 1234.5 }));
    equal(limited.code, Status.RESOURCE_EXHAUSTED);
    deepEqual(limited.trailers.get("retry-after-ms"), ["1235"]);
    equal((await failing(new Failure("STORE_UNAVAILABLE", "No database"))).code, Status.UNAVAILABLE);
    equal((await failing(new Failure("NODE_DISABLED", "Disabled"))).code, Status.PERMISSION_DENIED);
    const odd = await failing(new Failure("VALIDATION_FAILED", "tag \ud800 ü\n"));
    equal(odd.code, Status.INVALID_ARGUMENT);
    equal(odd.details, "tag \ufffd ü\n");
    const broken = await failing(new TypeError("secret of the house"));
    equal(broken.code, Status.INTERNAL);
    equal(broken.details, "Internal error");
    match(String(broken.trailers.get("x-request-id")[0]), /^[0-9a-f-]{36}$/);
  }));

test("startGrpc: each call has its own limit of bytes", () =>
  withDoor(async (fixture, client) => {
    const long = "a".repeat(5_000);
    const { code, trailers } = await client.call(methods.heartbeat, { ip: long });
    equal(code, Status.RESOURCE_EXHAUSTED);
    deepEqual(trailers.get("x-error-code"), ["PAYLOAD_TOO_LARGE"]);
    const huge = { items: [{ tag: "a".repeat(9 * 1024 * 1024) }] };
    equal((await client.call(methods.reportOutboundUsage, huge)).code, Status.RESOURCE_EXHAUSTED);
    equal((await client.call(methods.heartbeat, {})).code, Status.OK);
    equal(fixture.noted.length, 1);
  }));

test("startGrpc: an unknown call is unimplemented", () =>
  withDoor(async (_, client) => {
    const { code } = await client.raw("/nodeservice.NodeService/Nothing", new Uint8Array());
    equal(code, Status.UNIMPLEMENTED);
  }));

test("startGrpc: the address behind a trusted proxy is the one that it names", async () => {
  const headers = { "x-node-auth-key": KEY, "x-forwarded-for": "198.51.100.4" };
  for (const [trusted, ip] of [["127.0.0.1", "198.51.100.4"], ["192.0.2.1", "127.0.0.1"]] as const) {
    await withDoor(
      async (fixture, client) => {
        await client.call(methods.heartbeat, {}, headers);
        equal(fixture.asked[0]?.ip, ip);
      },
      {},
      { TRUSTED_PROXIES: trusted },
    );
  }
});

test("close: calls under way get their answer, new ones are not taken", async () => {
  const fixture = await openDoor();
  const client = new NodeClient(fixture.door);
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  fixture.fail = (call: keyof NodeService) => (call === "heartbeat" ? arrive() : undefined, released);
  const call = client.call(methods.heartbeat, {});
  await arrived;
  const closing = fixture.door.close({ graceMs: 5_000 });
  release();
  equal((await call).code, Status.OK);
  await closing;
  await fixture.door.close();
  client.close();
  const { host, port } = fixture.door.addr;
  await rejects((await detectRuntime()).net.connect({ host, port, timeoutMs: 1_000 }));
});

test("close: what does not end is cut off", async () => {
  const fixture = await openDoor();
  const client = new NodeClient(fixture.door);
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  fixture.fail = () => (arrive(), released);
  const call = client.call(methods.heartbeat, {});
  await arrived;
  await fixture.door.close({ graceMs: 50 });
  ok((await call).code !== Status.OK);
  release();
  client.close();
});

test("startGrpc: a report that shall come later is not read", () =>
  withDoor(async (fixture, client) => {
    const entry = { userId: 1n, nodeProtocolId: 1n, recordedAt: "no time" };
    equal((await client.call(methods.reportUsage, { entries: [entry] })).code, Status.INVALID_ARGUMENT);
    fixture.admit = (bytes) => {
      ok(bytes > 10 && bytes < 100);
      throw new Failure("STORE_UNAVAILABLE", "Too much at once", { retryAfterMs: 7_000 });
    };
    const later = await client.call(methods.reportUsage, { entries: [entry] });
    equal(later.code, Status.UNAVAILABLE);
    deepEqual(later.trailers.get("retry-after-ms"), ["7000"]);
  }));

test("startGrpc: a port that is taken says so", () =>
  withDoor(async ({ door }) => {
    let code = "";
    try {
      await openDoor({ port: door.addr.port });
    } catch (error) {
      code = (error as { code: string }).code;
    }
    equal(code, "address_in_use");
  }));
