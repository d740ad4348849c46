/**
 * Nodes as administrators see them, in the OpenAPI document.
 *
 * @module
 */
import type { Json, Operation, Section } from "../../http/openapi/types.ts";
import type { Scope } from "../contract/types.ts";
import { adminAnswers, answerRef, bodyAnswers, errorAnswer, json, parameterRef, refusal, scope } from "./answers.ts";
import { exampleNode, nodeRecordSchemas } from "./nodes_schemas.ts";
import { answered, nameFilter, recordPaths } from "./records.ts";
import { words } from "./schema.ts";
import { rangeParameters, usageOperation } from "./usage.ts";

const tags = ["Nodes"];
const parameters = [parameterRef("Id")];

const action = (
  operationId: string,
  summary: string,
  description: string,
  needs: Scope,
  answer: Operation["responses"][string],
  conflict = false,
): Operation => ({
  ...{ operationId, summary, description, tags, security: scope(needs) },
  parameters: [parameterRef("IfMatch"), parameterRef("IdempotencyKey")],
  responses: {
    "200": answer,
    "400": answerRef("Invalid"),
    "404": answerRef("NotFound"),
    "408": answerRef("RequestTimeout"),
    "409": conflict
      ? errorAnswer("The node is in another state, or the `Idempotency-Key` came with another body.", {
        "Not pending": refusal("CONFLICT", "The node is disabled"),
      })
      : answerRef("Conflict"),
    "412": answerRef("PreconditionFailed"),
    "413": answerRef("BodyTooLarge"),
    ...adminAnswers,
  },
});

const shown = answered("The node as it is now.", "Node", exampleNode, "ETag");
const issued: Json = { nodeId: 17, revision: 43 };

const rollback: Operation = action(
  "rollbackConfig",
  "Go back to an old configuration",
  "Issues the body of an old revision under a new number. It stays until something is assigned differently.",
  "write",
  answered("The number under which it was issued.", "IssuedRevision", issued),
);

const exampleRevision: Json = {
  revision: 42,
  hash: "5f2c9a015f2c9a015f2c9a015f2c9a015f2c9a015f2c9a015f2c9a015f2c9a01",
  reason: "assignment changed",
  createdAt: "2026-11-21T10:04:00.000Z",
};

const reading = (id: string, summary: string, description: string): Omit<Operation, "responses"> => ({
  ...{ operationId: id, summary, description, tags, security: scope("read") },
});

const runtimeStatus: Operation = {
  ...reading(
    "getRuntimeStatus",
    "Read how a node is",
    "The last snapshot that the node sent, or with `fromNode` one that is fetched now: 3 seconds, 256 KiB, no redirects, only the address that the node registered.",
  ),
  parameters: [{
    ...{ name: "fromNode", in: "query", description: "Ask the node itself.", example: "false" },
    schema: words("true", "false"),
  }],
  responses: {
    "200": answered("The snapshot.", "RuntimeStatus", {
      ...{ nodeId: 17, status: "online", syncStatus: "synced", desiredRevision: 42, appliedRevision: 42 },
      ...{ lastSeenAt: "2026-11-21T10:04:00.000Z", receivedAt: "2026-11-21T10:04:01.000Z", ageMs: 900 },
      ...{ stale: false, source: "core", system: null, xray: { running: true, uptimeSeconds: 60 }, mtproto: null },
    }),
    "400": answerRef("Invalid"),
    "404": answerRef("NotFound"),
    ...adminAnswers,
    "403": errorAnswer("The token does not reach this far, or the address of the node may not be dialled.", {
      "Scope": refusal("FORBIDDEN", 'The token does not have the scope "read"'),
      "Address": refusal("ADDRESS_FORBIDDEN", "The address of the node may not be dialled: it is private"),
    }),
    "502": errorAnswer("The node answered with something else.", {
      "Too long": refusal("NODE_BAD_REPLY", "The node answered with something else than its status"),
    }),
    "504": errorAnswer("The node did not answer in time.", {
      "Silent": refusal("NODE_UNREACHABLE", "The node did not answer within 3000 ms"),
    }),
  },
};

const statsHistory: Operation = {
  ...reading(
    "getStatsHistory",
    "Read how a node was",
    "At most 2,000 points: every 2 s for 10 minutes, every minute for 48 hours, every 15 minutes for 90 days.",
  ),
  parameters: [...rangeParameters, {
    ...{ name: "step", in: "query", description: "Time between two points.", example: "1m" },
    schema: { ...words("2s", "1m", "15m"), default: "1m" },
  }],
  responses: {
    "200": answered("The points.", "StatsHistory", { nodeId: 17, step: "1m", points: [] }),
    "400": answerRef("Invalid"),
    "404": answerRef("NotFound"),
    ...adminAnswers,
  },
};

const revisions: Operation = {
  ...reading("listRevisions", "List revisions of a configuration", "The latest 20, the newest first."),
  responses: {
    "200": answered("The revisions.", "RevisionPage", { items: [exampleRevision], nextCursor: null }),
    "404": answerRef("NotFound"),
    ...adminAnswers,
  },
};

const revision: Operation = {
  ...reading("getRevision", "Read a revision", "With its body, as it was sent."),
  responses: {
    "200": answered("The revision.", "RevisionBody", {
      ...exampleRevision as Record<string, Json>,
      config: { revision: 42, clientMap: {}, mtprotoClientMap: {}, services: {} },
    }),
    "404": answerRef("NotFound"),
    ...adminAnswers,
  },
};

const node = "/admin/nodes/{id}";

/** Nodes. */
export const nodes: Section = {
  tag: { name: "Nodes", description: "Machines, their keys, their configurations, how they are." },
  paths: {
    ...recordPaths({
      ...{ path: "/admin/nodes", tag: "Nodes", schema: "Node", noun: ["node", "nodes"], example: exampleNode },
      create: { code: "de-fra-1", name: "Frankfurt 1", ip: "203.0.113.7", port: 8080, region: "eu-central" },
      change: { name: "Frankfurt 1b", usageMultiplierPpm: 1500000 },
      created: {
        schema: "NodeWithKey",
        example: { ...exampleNode as Record<string, Json>, authKey: "nk1.Zm9vYmFyYmF6.4c1v" },
      },
      filters: { code: nameFilter, status: nameFilter, syncStatus: nameFilter, region: nameFilter },
      scopes: { create: "admin", remove: "admin" },
      about: {
        create: "A node that an administrator makes has its key from the start: the only time that it is seen.",
        change: "`routing` is part of the configuration; a change of it issues a revision.",
        remove: "The node is refused from now on. What its users used stays counted.",
      },
    }),
    [`${node}/approve`]: {
      parameters,
      post: action("approveNode", "Let a node in", "Of a node that waits for it.", "admin", shown, true),
    },
    [`${node}/disable`]: {
      parameters,
      post: action("disableNode", "Shut a node out", "Its keys stay, but are refused.", "admin", shown),
    },
    [`${node}/enable`]: {
      parameters,
      post: action("enableNode", "Let a node in again", "Of a node that was shut out.", "admin", shown, true),
    },
    [`${node}/reenrol`]: {
      parameters,
      post: action(
        "reenrolNode",
        "Let a node register anew",
        "Once and within an hour, whoever knows its code gets its key: for a node that lost its disk.",
        "admin",
        shown,
      ),
    },
    [`${node}/rotate-key`]: {
      parameters,
      post: action(
        "rotateNodeKey",
        "Make a new key",
        "The old one goes on for ten minutes.",
        "admin",
        answered("The new key: the only time that it is seen.", "NodeKey", { nodeId: 17, authKey: "nk1.Zm9v.4c1v" }),
      ),
    },
    [`${node}/resync`]: {
      parameters,
      post: action(
        "resyncNode",
        "Send the configuration again",
        "Under a new number, so that the node fetches and applies it once more.",
        "write",
        answered("The number under which it was issued.", "IssuedRevision", issued),
      ),
    },
    [`${node}/config/revisions`]: { parameters, get: revisions },
    [`${node}/config/revisions/{rev}`]: {
      parameters: [...parameters, {
        ...{ name: "rev", in: "path", description: "Number of the revision.", required: true, example: 42 },
        schema: { type: "integer", format: "int64", minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
      }],
      get: revision,
    },
    [`${node}/config/rollback`]: {
      parameters,
      post: {
        ...rollback,
        parameters: [parameterRef("IdempotencyKey")],
        requestBody: {
          description: "Which one.",
          required: true,
          content: json("Rollback", { revision: 40 }),
        },
        responses: {
          ...Object.fromEntries(Object.entries(rollback.responses).filter(([status]) => status !== "412")),
          ...bodyAnswers,
        },
      },
    },
    [`${node}/usage`]: { parameters, get: usageOperation("getNodeUsage", "Read traffic of a node", tags, "NodeUsage") },
    [`${node}/runtime-status`]: { parameters, get: runtimeStatus },
    [`${node}/stats-history`]: { parameters, get: statsHistory },
  },
  schemas: nodeRecordSchemas,
};
