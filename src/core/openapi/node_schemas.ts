/**
 * Bodies of agents in the OpenAPI document.
 *
 * @module
 */
import type { Schema } from "../../http/openapi/types.ts";
import { LIMITS } from "../contract/node_bodies.ts";
import { VPN_PROTOCOLS } from "../contract/types.ts";
import { ref } from "./answers.ts";
import {
  anObject,
  code,
  count,
  described,
  flag,
  hostName,
  id,
  ip,
  listOf,
  open,
  orNull,
  port,
  tag,
  text,
  time,
  whole,
  words,
} from "./schema.ts";

const usage = { bytesUp: count, bytesDown: count };

const clientMap: Schema = {
  type: "object",
  propertyNames: { format: "uuid" },
  additionalProperties: ref("Client"),
};

const tagged = (what: string): Schema => ({
  type: "object",
  additionalProperties: true,
  description: what,
  required: ["tag", "nodeProtocolId"],
  properties: { tag, nodeProtocolId: id },
});

/** What goes between agents and Core. */
export const nodeSchemas: Readonly<Record<string, Schema>> = {
  Registration: open(["code", "name", "ip", "port", "region"], {
    code: described(code, "Names the node for good."),
    name: text(1, 128),
    ip,
    port: described(port, "Of the agent's own HTTP server."),
    region: text(1, 64),
    domain: hostName,
  }),
  Registered: whole({ authKey: { type: "string", minLength: 1 }, nodeId: id }),
  Heartbeat: open([], { ip, revision: described(count, "What runs; absent: nothing was applied.") }),
  HeartbeatAnswer: whole({ ok: { ...flag, const: true }, needSync: flag }),
  UsageReport: open(["entries"], {
    entries: listOf(
      open(["userId", "nodeProtocolId", "bytesUp", "bytesDown", "recordedAt"], {
        userId: id,
        subscriptionId: orNull(id),
        nodeProtocolId: id,
        ...usage,
        recordedAt: time,
      }),
      LIMITS.entries,
    ),
  }),
  OutboundUsageReport: open(["items"], {
    items: listOf(open(["tag", "bytesUp", "bytesDown"], { tag, ...usage }), LIMITS.items),
  }),
  SessionEventsReport: open(["events"], {
    events: listOf(
      open(["userId", "protocol", "eventType", "occurredAt"], {
        userId: id,
        protocol: words(...VPN_PROTOCOLS),
        eventType: words("online", "offline", "ONLINE", "OFFLINE"),
        occurredAt: time,
        ipAddress: ip,
      }),
      LIMITS.events,
    ),
  }),
  ConfigApplied: open(["revision"], { revision: count }),
  NodeErrorReport: open(["message"], {
    message: { type: "string", minLength: 1, maxLength: 4_000 },
    code: text(0, 64),
    details: anObject("At most 8 levels and 32 KiB."),
  }),
  Client: whole({ userId: id, subscriptionId: orNull(id) }, "Whom a link belongs to."),
  NodeConfig: {
    type: "object",
    description: "What a node is to run.",
    required: ["revision", "clientMap", "mtprotoClientMap", "services"],
    additionalProperties: false,
    properties: {
      revision: count,
      clientMap: { ...clientMap, description: "Links of Xray, by UUID." },
      mtprotoClientMap: { ...clientMap, description: "Links of MTProto, by UUID." },
      services: {
        type: "object",
        additionalProperties: false,
        properties: {
          xray: {
            type: "object",
            additionalProperties: true,
            required: ["inbounds", "outbounds", "routing"],
            properties: {
              inbounds: { type: "array", items: tagged("An inbound of Xray.") },
              outbounds: { type: "array", items: { type: "object", additionalProperties: true } },
              routing: { type: "object", additionalProperties: true },
            },
          },
          mtproto: {
            type: "object",
            additionalProperties: true,
            required: ["inbounds"],
            properties: { inbounds: { type: "array", items: tagged("An inbound of telemt.") } },
          },
          nodepass: {
            type: "object",
            additionalProperties: true,
            description: "Only for agents that announce it.",
            required: ["instances"],
            properties: {
              instances: {
                type: "array",
                items: whole({ id: { type: "string" }, alias: { type: "string" }, url: { type: "string" } }),
              },
            },
          },
        },
      },
    },
  },
};
