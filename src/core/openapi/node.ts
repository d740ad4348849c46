/**
 * What agents call, in the OpenAPI document.
 *
 * @module
 */
import type { Json, Operation, Parameter, Section } from "../../http/openapi/types.ts";
import { LIMITS } from "../contract/node_bodies.ts";
import { answerRef, bodyAnswers, byNode, errorAnswer, headers, json, nodeAnswers, refusal } from "./answers.ts";
import { nodeSchemas } from "./node_schemas.ts";
import { integer, uuid } from "./schema.ts";

const tags = ["Nodes call"];
const timed = ["x-core-time", "x-core-intervals"];

const header = (name: string, schema: Parameter["schema"], description: string, example?: Json): Parameter => ({
  ...{ name, in: "header", description, schema },
  ...(example === undefined ? {} : { example }),
});

/** Where a report stands among the others of its node. */
const place: readonly Parameter[] = [
  header("x-report-stream", uuid, "The stream of reports. A lost disk begins a new one."),
  header("x-report-seq", integer(1), "The number of the report in its stream, without holes.", 42),
  header("x-report-gap", { type: "string", enum: ["0", "1"] }, "1: what is missing before it is lost for good.", "0"),
];

const ok = {
  description: "It is stored.",
  headers: headers(...timed),
  content: json("Ok", { ok: true }),
};

const gap = errorAnswer("Reports before this one are missing; `x-report-next` says which one is expected.", {
  "Number 5 after number 2": refusal("SEQ_GAP", "Report 5 skips earlier ones: 3 is expected"),
}, "x-report-next");

interface Call {
  readonly id: string;
  readonly summary: string;
  readonly description: string;
  readonly schema: string;
  readonly example: Json;
  readonly parameters?: readonly Parameter[];
  readonly responses?: Operation["responses"];
}

function call({ id, summary, description, schema, example, parameters, responses }: Call): Operation {
  return {
    ...{ operationId: id, summary, description, tags, security: byNode },
    ...(parameters === undefined ? {} : { parameters }),
    requestBody: {
      description: "May be compressed with gzip. Members that are not known are ignored.",
      required: true,
      content: json(schema, example),
    },
    responses: { "200": ok, ...bodyAnswers, ...nodeAnswers, ...responses },
  };
}

const register: Operation = {
  operationId: "registerNode",
  summary: "Register a node",
  description:
    "Gives a node its key: the only time that it is seen. Who may is up to `NODE_REGISTRATION`. A code that is taken is given again only to whoever proves its present key, inside a window that an administrator opened, or when the same `idempotency-key` returns within ten minutes and the first key was never used.",
  tags,
  security: [],
  parameters: [
    header("x-node-join-token", { type: "string" }, "A join token."),
    header("idempotency-key", uuid, "The same one with a request that is repeated because its answer was lost."),
    header("x-node-auth-key", { type: "string" }, "The present key, to get another one."),
  ],
  requestBody: {
    description: "What the node says about itself.",
    required: true,
    content: json("Registration", {
      ...{ code: "de-fra-1", name: "Frankfurt 1", ip: "203.0.113.7", port: 8080, region: "eu-central" },
    }),
  },
  responses: {
    "201": {
      description: "Its key.",
      headers: headers("x-core-public-key"),
      content: json("Registered", { authKey: "nk1.Zm9vYmFyYmF6.4c1v", nodeId: 17 }),
    },
    ...bodyAnswers,
    "403": errorAnswer("It may not join.", {
      "No join token": refusal("JOIN_DENIED", "This node may not join: it needs a join token that is valid"),
      "Disabled": refusal("NODE_DISABLED", "The node is disabled"),
    }),
    "409": errorAnswer("The code is taken.", { "Taken": refusal("NODE_EXISTS", "Another node has this code") }),
    "429": answerRef("TooMany"),
    "431": answerRef("HeadersTooLarge"),
    "503": answerRef("StoreUnavailable"),
  },
};

const heartbeat: Operation = {
  ...call({
    id: "heartbeat",
    summary: "Say that the node is alive",
    description: "`needSync` says whether to fetch the configuration: what the node runs is not what it is to run.",
    schema: "Heartbeat",
    example: { revision: 41 },
    parameters: [
      header("x-config-hash", { type: "string" }, "SHA-256 of the configuration that runs, its first 16 hex digits."),
    ],
  }),
};

const latest: Operation = {
  operationId: "getLatestConfig",
  summary: "Fetch the configuration",
  description: "What the node is to run. Compressed when `Accept-Encoding` takes gzip.",
  tags,
  security: byNode,
  parameters: [
    header("If-None-Match", { type: "string" }, "`ETag` of what the node has.", '"42-5f2c9a015f2c9a01"'),
    header(
      "x-agent-services",
      { type: "string" },
      "What the agent can run: with `nodepass` it is sent its tunnels.",
      "nodepass",
    ),
  ],
  responses: {
    "200": {
      description: "The configuration.",
      headers: headers("ETag", ...timed),
      content: json("NodeConfig", {
        revision: 42,
        clientMap: { "0d4c7f2a-91b6-4e38-8a55-2f7be1c09d14": { userId: 9, subscriptionId: 12 } },
        mtprotoClientMap: { "b1c6a1de-0b43-4a57-9e0e-55a1f5a3f3aa": { userId: 9, subscriptionId: null } },
        services: {
          xray: {
            inbounds: [{
              ...{ tag: "vless-443", nodeProtocolId: 3, protocol: "vless", port: 443 },
              settings: {
                clients: [{
                  id: "0d4c7f2a-91b6-4e38-8a55-2f7be1c09d14",
                  email: "0d4c7f2a-91b6-4e38-8a55-2f7be1c09d14.3",
                }],
              },
            }],
            outbounds: [{ tag: "direct", protocol: "freedom" }],
            routing: { rules: [] },
          },
        },
      }),
    },
    "304": { description: "The node has it already.", headers: headers("ETag", ...timed) },
    ...nodeAnswers,
  },
};

/** What agents call. */
export const nodeCalls: Section = {
  tag: {
    name: "Nodes call",
    description:
      "What agents call with `x-node-auth-key`. The same calls are the gRPC service `nodeservice.NodeService`, with two more for statistics and online users.",
  },
  paths: {
    "/node/register": { post: register },
    "/node/heartbeat": {
      post: {
        ...heartbeat,
        responses: {
          ...heartbeat.responses,
          "200": {
            description: "Core knows.",
            headers: headers(...timed),
            content: json("HeartbeatAnswer", { ok: true, needSync: true }),
          },
        },
      },
    },
    "/node/usage": {
      post: call({
        id: "reportUsage",
        summary: "Report traffic of users",
        description:
          `At most ${LIMITS.entries} entries of at most 45 days ago. With a place in a stream each report counts exactly once; without one, the same body again within 60 s counts once.`,
        schema: "UsageReport",
        example: {
          entries: [{
            ...{ userId: 9, subscriptionId: 12, nodeProtocolId: 3 },
            ...{ bytesUp: 1048576, bytesDown: 7340032, recordedAt: "2026-11-21T10:04:00Z" },
          }],
        },
        parameters: place,
        responses: { "409": gap },
      }),
    },
    "/node/outbound-usage": {
      post: call({
        id: "reportOutboundUsage",
        summary: "Report traffic of outbounds",
        description: "Without a place in a stream a report that comes twice counts twice.",
        schema: "OutboundUsageReport",
        example: { items: [{ tag: "direct", bytesUp: 4096, bytesDown: 81920 }] },
        parameters: place,
        responses: { "409": gap },
      }),
    },
    "/node/session-events": {
      post: call({
        id: "reportSessionEvents",
        summary: "Report who came and went",
        description: "An event that comes twice is stored once.",
        schema: "SessionEventsReport",
        example: {
          events: [{
            ...{ userId: 9, protocol: "vless", eventType: "online" },
            ...{ occurredAt: "2026-11-21T10:03:58.120Z", ipAddress: "198.51.100.4" },
          }],
        },
      }),
    },
    "/node/config/latest": { get: latest },
    "/node/config/applied": {
      post: call({
        id: "confirmConfigApplied",
        summary: "Say that a configuration runs",
        description: "May be repeated. An older revision than the desired one is noted, the node stays pending.",
        schema: "ConfigApplied",
        example: { revision: 42 },
        responses: {
          "409": errorAnswer("The node says that it runs what it was never sent.", {
            "Ahead": refusal("REVISION_AHEAD", "Revision 43 was never issued: the latest is 42"),
          }),
        },
      }),
    },
    "/node/error": {
      post: call({
        id: "reportNodeError",
        summary: "Say that something failed",
        description: "The node is `error`, its configuration `failed`. More than one a second are put together.",
        schema: "NodeErrorReport",
        example: { message: "xray exited 23", code: "CONFIG_APPLY_FAILED", details: { revision: 42 } },
      }),
    },
  },
  schemas: nodeSchemas,
};
