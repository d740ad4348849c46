/**
 * Bodies that are right, and what is wrong for each of their fields.
 *
 * @module
 */
import type fc from "fast-check";
import type { Body } from "../../../../src/core/contract/body.ts";
import * as admin from "../../../../src/core/contract/admin_bodies.ts";
import * as node from "../../../../src/core/contract/node_bodies.ts";
import { VPN_PROTOCOLS } from "../../../../src/core/contract/types.ts";
import * as wrong from "./wrong_values.ts";

/** One kind of body. */
export interface Sample {
  readonly name: string;
  /** Where HTTP takes it; null: nowhere. */
  readonly route: string | null;
  readonly schema: Body<unknown>;
  readonly valid: Readonly<Record<string, unknown>>;
  /** Wrong values by the path of the field. */
  readonly wrong: Readonly<Record<string, fc.Arbitrary<unknown>>>;
  /** Paths that may be missing. */
  readonly optional: readonly string[];
}

const NOW = "2026-11-21T10:04:00Z";
const UUID = "0d4c7f2a-91b6-4e38-8a55-2f7be1c09d14";

const entry = { userId: 9, subscriptionId: 12, nodeProtocolId: 3, bytesUp: 1, bytesDown: 2, recordedAt: NOW };
const item = { tag: "direct", bytesUp: 4096, bytesDown: 81920 };
const event = { userId: 9, protocol: "vless", eventType: "online", occurredAt: NOW, ipAddress: "198.51.100.4" };

/** What nodes send. */
export const nodeSamples: readonly Sample[] = [
  {
    name: "registerBody",
    route: "/node/register",
    schema: node.registerBody,
    valid: { code: "de-fra-1", name: "Frankfurt 1", ip: "203.0.113.7", port: 8080, region: "eu", domain: "a.test" },
    wrong: {
      code: wrong.code,
      name: wrong.text(1, 128),
      ip: wrong.ip,
      port: wrong.integer(1, 65_535),
      region: wrong.text(1, 64),
      domain: wrong.form(/^[A-Za-z0-9.-]+$/, "-a.test", "a..b", "1.2.3.4", "a_b", `${"a".repeat(64)}.test`, "a."),
    },
    optional: ["domain"],
  },
  {
    name: "heartbeatBody",
    route: "/node/heartbeat",
    schema: node.heartbeatBody,
    valid: { ip: "203.0.113.7", revision: 41 },
    wrong: { ip: wrong.ip, revision: wrong.integer(0) },
    optional: ["ip", "revision"],
  },
  {
    name: "usageBody",
    route: "/node/usage",
    schema: node.usageBody,
    valid: { entries: [entry, { ...entry, nodeProtocolId: 4 }] },
    wrong: {
      entries: wrong.list(20_000, entry),
      "entries.1": wrong.object,
      "entries.1.userId": wrong.integer(1),
      "entries.1.subscriptionId": wrong.nullableInteger(1),
      "entries.1.nodeProtocolId": wrong.integer(1),
      "entries.1.bytesUp": wrong.integer(0),
      "entries.1.bytesDown": wrong.integer(0),
      "entries.1.recordedAt": wrong.time,
    },
    optional: ["entries.1.subscriptionId"],
  },
  {
    name: "outboundUsageBody",
    route: "/node/outbound-usage",
    schema: node.outboundUsageBody,
    valid: { items: [item] },
    wrong: {
      items: wrong.list(4_096, item),
      "items.0": wrong.object,
      "items.0.tag": wrong.tag,
      "items.0.bytesUp": wrong.integer(0),
      "items.0.bytesDown": wrong.integer(0),
    },
    optional: [],
  },
  {
    name: "sessionEventsBody",
    route: "/node/session-events",
    schema: node.sessionEventsBody,
    valid: { events: [event] },
    wrong: {
      events: wrong.list(10_000, event),
      "events.0": wrong.object,
      "events.0.userId": wrong.integer(1),
      "events.0.protocol": wrong.word(...VPN_PROTOCOLS),
      "events.0.eventType": wrong.word("online", "offline"),
      "events.0.occurredAt": wrong.time,
      "events.0.ipAddress": wrong.ip,
    },
    optional: ["events.0.ipAddress"],
  },
  {
    name: "configAppliedBody",
    route: "/node/config/applied",
    schema: node.configAppliedBody,
    valid: { revision: 42 },
    wrong: { revision: wrong.integer(0) },
    optional: [],
  },
  {
    name: "nodeErrorBody",
    route: "/node/error",
    schema: node.nodeErrorBody,
    valid: { message: "xray exited 23", code: "CONFIG_APPLY_FAILED", details: { revision: 42 } },
    wrong: { message: wrong.freeText(4_000), code: wrong.text(0, 64), details: wrong.object },
    optional: ["code", "details"],
  },
];

const settings = wrong.object;

/** What administrators send. */
export const adminSamples: readonly Sample[] = [
  sample("nodeCreate", admin.nodeCreate, {
    code: ["a", wrong.code],
    name: ["A", wrong.text(1, 128)],
    ip: ["203.0.113.7", wrong.ip],
    port: [8080, wrong.integer(1, 65_535)],
    region: ["eu", wrong.text(1, 64)],
    "usageMultiplierPpm?": [1_000_000, wrong.integer(0, 1_000_000_000)],
    "routing?": [{}, settings],
  }),
  sample("rollback", admin.rollback, { revision: [3, wrong.integer(0)] }),
  sample("joinTokenCreate", admin.joinTokenCreate, {
    "maxUses?": [1, wrong.integer(1, 100_000)],
    "expiresAt?": [NOW, wrong.time],
  }),
  sample("userCreate", admin.userCreate, {
    name: ["a", wrong.text(1, 128)],
    "status?": ["active", wrong.word("active", "disabled")],
  }),
  sample("subscriptionCreate", admin.subscriptionCreate, {
    userId: [1, wrong.integer(1)],
    "limitBytes?": [1, wrong.nullableInteger(0)],
    "periodStartedAt?": [NOW, wrong.time],
    "status?": ["active", wrong.word("active", "disabled")],
  }),
  sample("linkCreate", admin.linkCreate, {
    userId: [1, wrong.integer(1)],
    kind: ["xray", wrong.word("xray", "mtproto")],
    "uuid?": [UUID, wrong.form(/^[0-9a-f-]{36}$/i, UUID.slice(1), `${UUID}\n`)],
    "subscriptionId?": [1, wrong.nullableInteger(1)],
    "everywhere?": [true, wrong.flag],
    "nodeProtocolIds?": [[1, 2], wrong.list(0, "a")],
    "enabled?": [true, wrong.flag],
  }),
  sample("nodeProtocolCreate", admin.nodeProtocolCreate, {
    nodeId: [1, wrong.integer(1)],
    service: ["xray", wrong.word("xray", "mtproto")],
    protocol: ["vless", wrong.word(...VPN_PROTOCOLS)],
    tag: ["a", wrong.tag],
    settings: [{}, settings],
    "enabled?": [true, wrong.flag],
  }),
  sample("nodeOutboundCreate", admin.nodeOutboundCreate, {
    nodeId: [1, wrong.integer(1)],
    tag: ["a", wrong.tag],
    settings: [{}, settings],
  }),
  sample("nodeTunnelCreate", admin.nodeTunnelCreate, {
    nodeId: [1, wrong.integer(1)],
    url: ["server://:1/:2", wrong.text(1, 8_192)],
    "alias?": ["a", wrong.text(0, 256)],
    "enabled?": [true, wrong.flag],
  }),
  sample("webhookCreate", admin.webhookCreate, {
    url: ["https://a.test/", wrong.form(/^https?:/, "ftp://a/", "https://u:p@a/", "https://a b/", "http://")],
    "types?": [["node.online"], wrong.list(0, "node.unheard")],
    "enabled?": [true, wrong.flag],
  }),
  sample("tokenCreate", admin.tokenCreate, {
    name: ["a", wrong.text(1, 128)],
    scopes: [["read"], wrong.list(0, "root")],
  }),
];

/** A name with a question mark may be missing. */
function sample(
  name: string,
  schema: Body<unknown>,
  fields: Readonly<Record<string, readonly [unknown, fc.Arbitrary<unknown>]>>,
): Sample {
  const bare = (key: string): string => key.replace("?", "");
  const entries = Object.entries(fields);
  return {
    name,
    route: null,
    schema,
    valid: Object.fromEntries(entries.map(([key, [value]]) => [bare(key), value])),
    wrong: Object.fromEntries(entries.map(([key, [, values]]) => [bare(key), values])),
    optional: entries.map(([key]) => key).filter((key) => key.endsWith("?")).map(bare),
  };
}

/** A copy of `body` with another value at `path`; undefined takes it out. */
export function changed(body: unknown, path: string, value: unknown): Record<string, unknown> {
  const copy = structuredClone(body) as Record<string, unknown>;
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  const at = keys.reduce((inner, key) => inner[key] as Record<string, unknown>, copy);
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy;
}
