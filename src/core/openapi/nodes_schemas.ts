/**
 * Nodes and their revisions as schemas of the OpenAPI document.
 *
 * @module
 */
import type { Json, Schema } from "../../http/openapi/types.ts";
import { ref } from "./answers.ts";
import { pageSchema } from "./records.ts";
import {
  anObject,
  closed,
  code,
  count,
  described,
  flag,
  hostName,
  id,
  integer,
  ip,
  listOf,
  orNull,
  port,
  text,
  time,
  whole,
  words,
} from "./schema.ts";

const status = words("pending", "offline", "online", "error", "disabled");
const syncStatus = words("never", "pending", "delivering", "synced", "failed");
const multiplier = described(
  integer(0, 1_000_000_000),
  "Millionths: 1,000,000 counts each byte once. Rows of usage stay as they are.",
);

const change: Readonly<Record<string, Schema>> = {
  name: text(1, 128),
  ip,
  port,
  region: text(1, 64),
  domain: orNull(hostName),
  usageMultiplierPpm: multiplier,
  routing: anObject("Routing of Xray on the node, at most 256 KiB."),
};

const record: Readonly<Record<string, Schema>> = {
  id,
  code,
  name: { type: "string" },
  ip,
  port,
  region: { type: "string" },
  domain: { type: ["string", "null"] },
  status,
  syncStatus,
  desiredRevision: count,
  deliveredRevision: count,
  appliedRevision: count,
  usageMultiplierPpm: multiplier,
  routing: { type: "object", additionalProperties: true },
  lastSeenAt: orNull(time),
  lastError: {
    oneOf: [
      whole({
        at: orNull(time),
        code: { type: ["string", "null"] },
        message: { type: ["string", "null"] },
        details: { type: ["object", "null"], additionalProperties: true },
      }),
      { type: "null" },
    ],
  },
  agentVersion: { type: ["string", "null"] },
  agentServices: { type: ["string", "null"] },
  reenrolUntil: orNull(time),
  createdAt: time,
  updatedAt: time,
};

/** A node. */
export const exampleNode: Json = {
  ...{ id: 17, code: "de-fra-1", name: "Frankfurt 1", ip: "203.0.113.7", port: 8080, region: "eu-central" },
  ...{ domain: null, status: "online", syncStatus: "synced" },
  ...{ desiredRevision: 42, deliveredRevision: 42, appliedRevision: 42, usageMultiplierPpm: 1000000 },
  ...{ routing: { rules: [] }, lastSeenAt: "2026-11-21T10:04:00.000Z", lastError: null },
  ...{ agentVersion: null, agentServices: "xray,nodepass", reenrolUntil: null },
  ...{ createdAt: "2026-11-01T09:00:00.000Z", updatedAt: "2026-11-21T10:04:00.000Z" },
};

const authKey: Schema = { type: "string", minLength: 1, description: "Seen here and never again." };
const revisionMembers: Readonly<Record<string, Schema>> = {
  revision: count,
  hash: { type: "string", pattern: "^[0-9a-f]{64}$", description: "SHA-256 of the body without its revision." },
  reason: { type: "string", description: "Why it was issued." },
  createdAt: time,
};
const snapshot = (what: string): Schema => ({
  type: ["object", "null"],
  additionalProperties: true,
  description: what,
});

/** Schemas of nodes. */
export const nodeRecordSchemas: Readonly<Record<string, Schema>> = {
  Node: whole(record),
  NodeWithKey: whole({ ...record, authKey }),
  NodePage: pageSchema("Node"),
  NodeCreate: closed(["code", "name", "ip", "port", "region"], { code, ...change }),
  NodeChange: closed([], change),
  NodeKey: whole({ nodeId: id, authKey }),
  Rollback: closed(["revision"], { revision: count }),
  IssuedRevision: whole({ nodeId: id, revision: count }),
  Revision: whole(revisionMembers),
  RevisionBody: whole({ ...revisionMembers, config: ref("NodeConfig") }),
  RevisionPage: pageSchema("Revision"),
  RuntimeStatus: whole({
    nodeId: id,
    status,
    syncStatus,
    desiredRevision: count,
    appliedRevision: count,
    lastSeenAt: orNull(time),
    receivedAt: { ...orNull(time), description: "When the snapshot came." },
    ageMs: orNull(count),
    stale: described(flag, "Older than 10 s."),
    source: words("core", "node"),
    system: snapshot("Processor, memory, disk and network of the machine."),
    xray: snapshot("Whether Xray runs."),
    mtproto: snapshot("Whether each inbound of telemt runs."),
  }),
  StatsHistory: {
    type: "object",
    additionalProperties: true,
    required: ["nodeId", "step", "points"],
    properties: {
      nodeId: id,
      step: words("2s", "1m", "15m"),
      points: listOf({ type: "object", additionalProperties: true }, 2_000),
    },
  },
};
