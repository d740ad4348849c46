/**
 * What is on nodes - inbounds, outbounds, tunnels - and the links to it, in the OpenAPI document.
 *
 * @module
 */
import type { Json, Schema, Section } from "../../http/openapi/types.ts";
import { VPN_PROTOCOLS } from "../contract/types.ts";
import { nameFilter, pageSchema, recordPaths } from "./records.ts";
import {
  anObject,
  bytes,
  closed,
  described,
  flag,
  id,
  listOf,
  orNull,
  tag,
  text,
  time,
  uuid,
  whole,
  words,
} from "./schema.ts";

const service = words("xray", "mtproto");
const protocol = words(...VPN_PROTOCOLS);
const times = { createdAt: "2026-11-01T09:00:00.000Z", updatedAt: "2026-11-01T09:00:00.000Z" };
const stamps: Readonly<Record<string, Schema>> = { createdAt: time, updatedAt: time };
const settings: Schema = { type: "object", additionalProperties: true };

const exampleUuid = "0d4c7f2a-91b6-4e38-8a55-2f7be1c09d14";
const exampleProtocol: Json = {
  ...{ id: 3, nodeId: 17, service: "xray", protocol: "vless", tag: "vless-443", settings: { port: 443 } },
  ...{ enabled: true, ...times },
};
const exampleOutbound: Json = {
  ...{ id: 5, nodeId: 17, tag: "direct", settings: { protocol: "freedom" }, unmanaged: false, enabled: true },
  ...{ trafficBytesUp: 4096, trafficBytesDown: 81920, ...times },
};
const exampleTunnel: Json = {
  ...{ id: 4, nodeId: 17, instanceId: "ac881219", alias: "web", enabled: true, ...times },
  url: "client://0f4d@198.51.100.9:10101/127.0.0.1:8080",
};
const exampleLink: Json = {
  ...{ uuid: exampleUuid, userId: 9, subscriptionId: 12, kind: "xray", secret: null, everywhere: false },
  ...{ nodeProtocolIds: [3], settings: {}, maxConnections: null, maxUniqueIps: null, enabled: true, ...times },
};

const inboundSettings: Schema = {
  ...anObject("The inbound as Xray or telemt has it, without its clients: `port`, `listen`, `settings`, and so on."),
  required: ["port"],
  properties: {
    port: {
      oneOf: [{ type: "integer", minimum: 1, maximum: 65_535 }, {
        type: "string",
        pattern: "^[0-9]{1,5}(-[0-9]{1,5})?$",
      }],
    },
  },
};
const outboundSettings: Schema = {
  ...anObject("The outbound as Xray has it."),
  required: ["protocol"],
  properties: { protocol: { type: "string" } },
};
const protocolChange = { tag, settings: inboundSettings, enabled: flag };
const outboundChange = { tag, settings: outboundSettings, enabled: flag };
const tunnelChange = {
  alias: text(0, 256),
  url: { ...text(1, 8_192), pattern: "^(server|client)://[!-~]+$", description: "A tunnel URL." },
  enabled: flag,
};
const linkChange: Readonly<Record<string, Schema>> = {
  subscriptionId: orNull(id),
  secret: described(
    orNull(text(1, 256)),
    "32 hex digits for MTProto, a password elsewhere; null: derived from the UUID.",
  ),
  everywhere: described(flag, "On all protocols of its kind."),
  nodeProtocolIds: { ...listOf(id, 10_000), uniqueItems: true, description: "The protocols that it is on otherwise." },
  settings: {
    type: ["object", "null"],
    additionalProperties: true,
    description: "What this client has besides: `flow` and the like.",
  },
  maxConnections: orNull(id),
  maxUniqueIps: orNull(id),
  enabled: flag,
};

const removed = "Nodes learn it with their next revision.";

/** Inbounds, outbounds, tunnels and links. */
export const assignments: Section = {
  tag: {
    name: "Assignments",
    description:
      "What runs on nodes, and the links that let users in. A change issues a revision to the nodes it concerns.",
  },
  paths: {
    ...recordPaths({
      ...{ path: "/admin/node-protocols", tag: "Assignments", schema: "NodeProtocol", example: exampleProtocol },
      noun: ["node protocol", "node protocols"],
      create: { nodeId: 17, service: "xray", protocol: "vless", tag: "vless-443", settings: { port: 443 } },
      change: { enabled: false },
      filters: { nodeId: id, service: nameFilter, protocol: nameFilter, tag: nameFilter },
      about: {
        create: "An inbound. What a node would refuse - a port that is taken, a tag that is - is refused here.",
        change: "Its clients come from links.",
        remove: removed,
      },
    }),
    ...recordPaths({
      ...{ path: "/admin/node-outbounds", tag: "Assignments", schema: "NodeOutbound", example: exampleOutbound },
      noun: ["node outbound", "node outbounds"],
      create: { nodeId: 17, tag: "direct", settings: { protocol: "freedom" } },
      change: { enabled: false },
      filters: { nodeId: id, tag: nameFilter },
      about: {
        create: "A way out of Xray. A node without any has `direct`.",
        change: "One that a node reported by itself becomes an ordinary one with its settings.",
        remove: removed,
      },
    }),
    ...recordPaths({
      ...{ path: "/admin/node-tunnels", tag: "Assignments", schema: "NodeTunnel", example: exampleTunnel },
      noun: ["node tunnel", "node tunnels"],
      create: { nodeId: 17, alias: "web", url: "client://0f4d@198.51.100.9:10101/127.0.0.1:8080" },
      change: { enabled: false },
      filters: { nodeId: id },
      about: {
        create: "A tunnel that the node runs; only agents that announce `nodepass` get it.",
        change: "Only this tunnel starts again.",
        remove: removed,
      },
    }),
    ...recordPaths({
      ...{ path: "/admin/links", tag: "Assignments", schema: "Link", noun: ["link", "links"], example: exampleLink },
      create: { userId: 9, subscriptionId: 12, kind: "xray", nodeProtocolIds: [3] },
      change: { everywhere: true },
      filters: { userId: id, subscriptionId: id, kind: nameFilter },
      key: {
        ...{ name: "uuid", in: "path", description: "UUID of the link.", required: true },
        schema: uuid,
        example: exampleUuid,
      },
      about: {
        create: "Puts a UUID into the maps of the nodes whose protocols it is on.",
        change: "From one list of protocols to another, or everywhere.",
        remove: "Nodes learn it with their next revision, and cut who is connected with it.",
      },
    }),
  },
  schemas: {
    NodeProtocol: whole({ id, nodeId: id, service, protocol, tag, settings, enabled: flag, ...stamps }),
    NodeProtocolPage: pageSchema("NodeProtocol"),
    NodeProtocolCreate: closed(["nodeId", "service", "protocol", "tag", "settings"], {
      ...{ nodeId: id, service, protocol, ...protocolChange },
    }),
    NodeProtocolChange: closed([], protocolChange),
    NodeOutbound: whole({
      ...{ id, nodeId: id, tag, settings },
      unmanaged: described(flag, "The node reported it; Core did not make it."),
      ...{ enabled: flag, trafficBytesUp: bytes, trafficBytesDown: bytes, ...stamps },
    }),
    NodeOutboundPage: pageSchema("NodeOutbound"),
    NodeOutboundCreate: closed(["nodeId", "tag", "settings"], { nodeId: id, ...outboundChange }),
    NodeOutboundChange: closed([], outboundChange),
    NodeTunnel: whole({
      ...{ id, nodeId: id, instanceId: { type: "string", pattern: "^[0-9a-f]{8}$" } },
      ...{ alias: { type: "string" }, url: { type: "string" }, enabled: flag, ...stamps },
    }),
    NodeTunnelPage: pageSchema("NodeTunnel"),
    NodeTunnelCreate: closed(["nodeId", "url"], { nodeId: id, ...tunnelChange }),
    NodeTunnelChange: closed([], tunnelChange),
    Link: whole({
      ...{ uuid, userId: id, subscriptionId: orNull(id), kind: service, secret: { type: ["string", "null"] } },
      ...{ everywhere: flag, nodeProtocolIds: { type: "array", items: id }, settings },
      ...{ maxConnections: orNull(id), maxUniqueIps: orNull(id), enabled: flag, ...stamps },
    }),
    LinkPage: pageSchema("Link"),
    LinkCreate: closed(["userId", "kind"], { userId: id, kind: service, uuid, ...linkChange }),
    LinkChange: closed([], linkChange),
  },
};
