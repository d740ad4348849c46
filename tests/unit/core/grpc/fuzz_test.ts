import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { status as Status } from "@grpc/grpc-js";
import fc from "fast-check";
import { equal, ok, test } from "../../../harness.ts";
import { changed } from "../contract/samples.ts";
import { WRONG_TIMES } from "../contract/wrong_values.ts";
import { methods, withDoor } from "./door_fixture.ts";

const NOW = "2026-11-21T10:04:00Z";
const UNSAFE = [2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)];

const id = fc.oneof(fc.constantFrom(0n, ...UNSAFE), fc.bigInt({ min: -(2n ** 62n), max: 0n }));
const count = fc.oneof(fc.constantFrom(-1n, ...UNSAFE), fc.bigInt({ min: -(2n ** 62n), max: -1n }));
const time = fc.constantFrom(...WRONG_TIMES);
const ip = fc.constantFrom("", "1.2.3", "::1%eth0", "localhost", "1.2.3.4 ", "[::1]");
const tag = fc.oneof(fc.constantFrom("", "a>>>b", "a".repeat(65)), fc.string().map((text) => `${text} `));
const json = fc.oneof(
  fc.constantFrom(
    "null",
    "[]",
    "1",
    '"a"',
    "{",
    "NaN",
    '{"a":1e999}',
    '{"\\ud800":{}}',
    `{"a":"${"b".repeat(65_536)}"}`,
  ),
  fc.string({ minLength: 1 }).filter((text) => !text.startsWith("{")),
);

interface Sample {
  readonly method: keyof typeof methods;
  readonly valid: Record<string, unknown>;
  readonly wrong: Readonly<Record<string, fc.Arbitrary<unknown>>>;
}

const entry = { userId: 9n, subscriptionId: 12n, nodeProtocolId: 3n, bytesUp: 1n, bytesDown: 2n, recordedAt: NOW };
const user = { userId: 9n, nodeProtocolId: 3n, ips: [{ ip: "198.51.100.4", lastSeen: NOW }] };
const system = {
  uptimeSeconds: 1n,
  cpuPercent: 1,
  cpuCores: 1,
  ramUsed: 1n,
  ramTotal: 1n,
  diskUsed: 1n,
  diskTotal: 1n,
  netRxPerSec: 1n,
  netTxPerSec: 1n,
  netRxTotal: 1n,
  netTxTotal: 1n,
};

const samples: readonly Sample[] = [
  { method: "heartbeat", valid: { revision: 1n, ip: "203.0.113.7" }, wrong: { revision: count, ip } },
  {
    method: "reportUsage",
    valid: { entries: [entry, { ...entry }] },
    wrong: {
      "entries.1.userId": id,
      "entries.1.subscriptionId": id,
      "entries.1.nodeProtocolId": id,
      "entries.1.bytesUp": count,
      "entries.1.bytesDown": count,
      "entries.1.recordedAt": time,
      entries: fc.constant(Array.from({ length: 20_001 }, () => entry)),
    },
  },
  {
    method: "reportOutboundUsage",
    valid: { items: [{ tag: "direct", bytesUp: 1n, bytesDown: 2n }] },
    wrong: {
      "items.0.tag": tag,
      "items.0.bytesUp": count,
      "items.0.bytesDown": count,
      items: fc.constant(Array.from({ length: 4_097 }, () => ({ tag: "a" }))),
    },
  },
  { method: "confirmConfigApplied", valid: { revision: 1n }, wrong: { revision: count } },
  {
    method: "reportNodeStats",
    valid: { system, xray: { running: true, uptimeSeconds: 1n }, mtprotoJson: "{}", nodepassJson: "{}" },
    wrong: {
      ...Object.fromEntries(
        Object.keys(system).filter((name) => !name.startsWith("cpu")).map((name) => [`system.${name}`, count]),
      ),
      "system.cpuPercent": fc.constantFrom(NaN, Infinity, -Infinity),
      "system.cpuCores": fc.integer({ max: -1 }),
      "xray.uptimeSeconds": count,
      mtprotoJson: json,
      nodepassJson: json,
    },
  },
  {
    method: "reportOnlineUsers",
    valid: { users: [user, { ...user, ips: [{ ip: "198.51.100.4", lastSeen: NOW }] }] },
    wrong: {
      "users.1.userId": id,
      "users.1.nodeProtocolId": id,
      "users.1.ips.0.lastSeen": time,
      "users.1.ips": fc.constant(Array.from({ length: 65 }, () => user.ips[0])),
    },
  },
];

for (const { method, valid, wrong } of samples) {
  test(`${method}: a wrong value is an invalid argument, with its path`, () =>
    withDoor(async (fixture, client) => {
      const call = (request: Record<string, unknown>) =>
        client.call(methods[method] as typeof methods.heartbeat, request as MessageInitShape<DescMessage>);
      equal((await call(valid)).code, Status.OK);
      for (const [path, values] of Object.entries(wrong)) {
        await fc.assert(
          fc.asyncProperty(values, async (value) => {
            const { code, details } = await call(changed(valid, path, value));
            equal(code, Status.INVALID_ARGUMENT, `${path} = ${String(value).slice(0, 100)}: ${details}`);
            ok(details.startsWith(`${path}: expected `), details);
          }),
          { numRuns: 12 },
        );
      }
      equal(fixture.noted.length, 1);
    }));
}

test("startGrpc: statuses of MTProto inbounds are looked at one by one", () =>
  withDoor(async (_, client) => {
    const right = { running: true, connectionsCurrent: 1, activeUsers: 1 };
    for (
      const [path, status] of [
        ["mtprotoJson.a", 5],
        ["mtprotoJson.a.running", { ...right, running: 1 }],
        ["mtprotoJson.a.activeUsers", { ...right, activeUsers: -1 }],
        ["mtprotoJson.a.connectionsCurrent", { ...right, connectionsCurrent: "1" }],
        ["mtprotoJson.a.version", { ...right, version: 1 }],
        ["mtprotoJson.a.ready", { ...right, ready: null }],
      ] as const
    ) {
      const { code, details } = await client.call(methods.reportNodeStats, {
        mtprotoJson: JSON.stringify({ a: status }),
      });
      equal(code, Status.INVALID_ARGUMENT);
      ok(details.startsWith(`${path}: expected `), details);
    }
  }));

test("startGrpc: headers that say the place of a report are checked", () =>
  withDoor(async (_, client) => {
    const uuid = "0d4c7f2a-91b6-4e38-8a55-2f7be1c09d14";
    for (
      const [path, place] of [
        ["x-report-stream", { "x-report-stream": "a", "x-report-seq": "1" }],
        ["x-report-stream", { "x-report-seq": "1" }],
        ["x-report-seq", { "x-report-stream": uuid }],
        ...["0", "-1", "1.5", "1e3", "9007199254740992", "a", ""].map((seq) =>
          ["x-report-seq", { "x-report-stream": uuid, "x-report-seq": seq }] as const
        ),
        ["x-report-gap", { "x-report-stream": uuid, "x-report-seq": "1", "x-report-gap": "yes" }],
      ] as [string, Record<string, string>][]
    ) {
      const { code, details } = await client.call(methods.reportUsage, {}, {
        "x-node-auth-key": "nk1.test.key",
        ...place,
      });
      equal(code, Status.INVALID_ARGUMENT, JSON.stringify(place));
      ok(details.startsWith(`${path}: `), details);
    }
  }));

test("startGrpc: bytes that are no message are an invalid argument, whatever they are", () =>
  withDoor(async (_, client) => {
    const known = new Set<number>([Status.OK, Status.INVALID_ARGUMENT, Status.UNAUTHENTICATED]);
    for (const method of Object.values(methods)) {
      const path = `/${method.parent.typeName}/${method.name}`;
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (bytes) => {
          const { code, details } = await client.raw(path, bytes);
          ok(known.has(code), `${code} ${details}`);
        }),
        { numRuns: 40 },
      );
    }
    // A text that is no UTF-8.
    const { code } = await client.raw("/nodeservice.NodeService/Heartbeat", new Uint8Array([0x1a, 0x02, 0xc3, 0x28]));
    equal(code, Status.INVALID_ARGUMENT);
  }));
