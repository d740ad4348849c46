import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import {
  HeartbeatRequestSchema,
  ReportNodeStatsRequestSchema,
  ReportOnlineUsersRequestSchema,
  ReportUsageRequestSchema,
} from "../../../../src/core/contract/generated/node_service_pb.ts";
import { readMessage } from "../../../../src/core/grpc/read_message.ts";
import { deepEqual, test, throws } from "../../../harness.ts";

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const int32 = fc.integer();
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });

const heartbeat = fc.record({ authKey: fc.string(), revision: maybe(int64), ip: maybe(fc.string()) });
const usage = fc.record({
  entries: fc.array(fc.record({
    ...{ userId: int64, subscriptionId: maybe(int64), nodeProtocolId: int64 },
    ...{ bytesUp: int64, bytesDown: int64, recordedAt: fc.string() },
  })),
});
const stats = fc.record({
  system: maybe(fc.record({ uptimeSeconds: int64, cpuPercent: fc.double(), cpuCores: int32, ramUsed: int64 })),
  xray: maybe(fc.record({ running: fc.boolean(), uptimeSeconds: maybe(int64) })),
  mtprotoJson: fc.string(),
  nodepassJson: fc.string({ unit: "grapheme" }),
});
const online = fc.record({
  users: fc.array(fc.record({
    ...{ userId: int64, nodeProtocolId: int64 },
    ips: fc.array(fc.record({ ip: fc.string(), lastSeen: fc.string() })),
  })),
});

/** What the library reads, as the values that bodies of HTTP are. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([name, member]) => name !== "$typeName" && member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, plain(member)]));
}

function same<T extends DescMessage>(name: string, schema: T, values: fc.Arbitrary<MessageInitShape<T>>): void {
  test(`readMessage() reads ${name} as the library does`, () => {
    fc.assert(fc.property(values, (init) => {
      const bytes = toBinary(schema, create(schema, init));
      deepEqual(plain(readMessage(schema, bytes)), byLibrary(schema, bytes));
    }));
  });
  test(`readMessage() reads ${name} in two halves, and with unknown fields, as the library does`, () => {
    fc.assert(fc.property(values, values, fc.uint8Array(), (first, second, unknown) => {
      // Field 900, of bytes.
      const [a, b] = [first, second].map((init) => toBinary(schema, create(schema, init)));
      const bytes = new Uint8Array([...a!, 0xa2, 0x38, unknown.length, ...unknown, ...b!]);
      deepEqual(plain(readMessage(schema, bytes)), byLibrary(schema, bytes));
    }));
  });
}

/** The library keeps zeros on prototypes, where nobody finds them who lists the members. */
function byLibrary(schema: DescMessage, bytes: Uint8Array): unknown {
  const empty = create(schema) as unknown as Record<string, unknown>;
  const zeros = Object.fromEntries(schema.fields.map(({ localName }) => [localName, empty[localName]]));
  return plain({ ...zeros, ...fromBinary(schema, bytes, { readUnknownFields: false }) });
}

same("a heartbeat", HeartbeatRequestSchema, heartbeat);
same("traffic", ReportUsageRequestSchema, usage);
same("figures", ReportNodeStatsRequestSchema, stats as never);
same("users who are online", ReportOnlineUsersRequestSchema, online);

test("readMessage() refuses bytes that are no message, and never hangs", () => {
  const bytes = toBinary(
    ReportOnlineUsersRequestSchema,
    create(ReportOnlineUsersRequestSchema, { users: [{ userId: 1n, ips: [{ ip: "198.51.100.4", lastSeen: "now" }] }] }),
  );
  for (let length = 1; length < bytes.length; length++) {
    throws(() => readMessage(ReportOnlineUsersRequestSchema, bytes.subarray(0, length)));
  }
  // Another wire type than the field has.
  throws(() => readMessage(HeartbeatRequestSchema, new Uint8Array([0x12, 0x00])), /wire type/);
  // A text that is no UTF-8.
  throws(() => readMessage(HeartbeatRequestSchema, new Uint8Array([0x1a, 0x01, 0xff])));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (noise) => {
    try {
      readMessage(ReportOnlineUsersRequestSchema, noise);
    } catch {
      // Refused.
    }
  }));
});
