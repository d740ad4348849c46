/**
 * Bodies that administrators send. Nothing is coerced, and a member that is not known is refused; in a change an absent
 * member stays as it is.
 *
 * @module
 */
import type * as admin from "./admin_types.ts";
import { type Body, closed, maybe, maybeNull, one, open, orElse } from "./body.ts";
import * as field from "./fields.ts";
import { EVENT_TYPES, SCOPES, VPN_PROTOCOLS } from "./types.ts";

const name = field.text(1, 128);
const note = field.text(0, 2_000, { controls: "lines" });
const region = field.text(1, 64);
const port = field.integer(1, 65_535);
/** Millionths: 1,000,000 counts each byte once. */
const multiplier = field.integer(0, 1_000_000_000);
const settings = field.jsonObject(32, 262_144);

const nodeMembers = {
  name: maybe(name),
  ip: maybe(field.ip),
  port: maybe(port),
  region: maybe(region),
  domain: maybeNull(field.hostName),
  usageMultiplierPpm: maybe(multiplier),
  routing: maybe(settings),
};
const nodeCreateMembers = {
  ...nodeMembers,
  code: one(field.code),
  name: one(name),
  ip: one(field.ip),
  port: one(port),
  region: one(region),
};

/** `POST /admin/nodes`. */
export const nodeCreate: Body<admin.NodeCreate> = closed(nodeCreateMembers);
/** `PATCH /admin/nodes/{id}`. */
export const nodeChange: Body<admin.NodeChange> = closed(nodeMembers);

const rollbackMembers = { revision: one(field.count) };
/** `POST /admin/nodes/{id}/config/rollback`. */
export const rollback: Body<admin.Rollback> = closed(rollbackMembers);

const joinTokenMembers = {
  name: maybeNull(name),
  maxUses: maybe(field.integer(1, 100_000)),
  expiresAt: maybe(field.time),
  region: maybeNull(region),
};
/** `POST /admin/join-tokens`. */
export const joinTokenCreate: Body<admin.JoinTokenCreate> = closed(joinTokenMembers);

const userMembers = {
  name: maybe(name),
  note: maybeNull(note),
  status: maybe(field.oneOf(["active", "disabled"])),
};
const userCreateMembers = { ...userMembers, name: one(name) };
/** `POST /admin/users`. */
export const userCreate: Body<admin.UserCreate> = closed(userCreateMembers);
/** `PATCH /admin/users/{id}`. */
export const userChange: Body<admin.UserChange> = closed(userMembers);

const subscriptionMembers = {
  name: maybeNull(name),
  limitBytes: maybeNull(field.count),
  periodStartedAt: maybe(field.time),
  expiresAt: maybeNull(field.time),
  status: maybe(field.oneOf(["active", "disabled"])),
};
const subscriptionCreateMembers = { ...subscriptionMembers, userId: one(field.id) };
/** `POST /admin/subscriptions`. */
export const subscriptionCreate: Body<admin.SubscriptionCreate> = closed(subscriptionCreateMembers);
/** `PATCH /admin/subscriptions/{id}`. */
export const subscriptionChange: Body<admin.SubscriptionChange> = closed(subscriptionMembers);

const linkMembers = {
  subscriptionId: maybeNull(field.id),
  secret: maybeNull(field.text(1, 256)),
  everywhere: maybe(field.flag),
  nodeProtocolIds: maybe(field.listOf(field.id, 0, 10_000)),
  settings: maybeNull(settings),
  maxConnections: maybeNull(field.id),
  maxUniqueIps: maybeNull(field.id),
  enabled: maybe(field.flag),
};
const linkCreateMembers = {
  ...linkMembers,
  userId: one(field.id),
  kind: one(field.oneOf(["xray", "mtproto"])),
  uuid: maybe(field.uuid),
};
/** `POST /admin/links`. */
export const linkCreate: Body<admin.LinkCreate> = closed(linkCreateMembers);
/** `PATCH /admin/links/{uuid}`. */
export const linkChange: Body<admin.LinkChange> = closed(linkMembers);

const nodeProtocolMembers = { tag: maybe(field.tag), settings: maybe(settings), enabled: maybe(field.flag) };
const nodeProtocolCreateMembers = {
  ...nodeProtocolMembers,
  nodeId: one(field.id),
  service: one(field.oneOf(["xray", "mtproto"])),
  protocol: one(field.oneOf(VPN_PROTOCOLS)),
  tag: one(field.tag),
  settings: one(settings),
};
/** `POST /admin/node-protocols`. */
export const nodeProtocolCreate: Body<admin.NodeProtocolCreate> = closed(nodeProtocolCreateMembers);
/** `PATCH /admin/node-protocols/{id}`. */
export const nodeProtocolChange: Body<admin.NodeProtocolChange> = closed(nodeProtocolMembers);

const nodeOutboundMembers = { tag: maybe(field.tag), settings: maybe(settings), enabled: maybe(field.flag) };
const nodeOutboundCreateMembers = {
  ...nodeOutboundMembers,
  nodeId: one(field.id),
  tag: one(field.tag),
  settings: one(settings),
};
/** `POST /admin/node-outbounds`. */
export const nodeOutboundCreate: Body<admin.NodeOutboundCreate> = closed(nodeOutboundCreateMembers);
/** `PATCH /admin/node-outbounds/{id}`. */
export const nodeOutboundChange: Body<admin.NodeOutboundChange> = closed(nodeOutboundMembers);

const tunnelUrl = field.text(1, 8_192);
const nodeTunnelMembers = {
  alias: maybe(field.text(0, 256)),
  url: maybe(tunnelUrl),
  enabled: maybe(field.flag),
};
const nodeTunnelCreateMembers = { ...nodeTunnelMembers, nodeId: one(field.id), url: one(tunnelUrl) };
/** `POST /admin/node-tunnels`. */
export const nodeTunnelCreate: Body<admin.NodeTunnelCreate> = closed(nodeTunnelCreateMembers);
/** `PATCH /admin/node-tunnels/{id}`. */
export const nodeTunnelChange: Body<admin.NodeTunnelChange> = closed(nodeTunnelMembers);

const webhookMembers = {
  url: maybe(field.webUrl),
  secret: maybe(field.text(16, 256)),
  types: maybe(field.listOf(field.oneOf(EVENT_TYPES), 0, EVENT_TYPES.length)),
  enabled: maybe(field.flag),
};
const webhookCreateMembers = { ...webhookMembers, url: one(field.webUrl) };
/** `POST /admin/webhooks`. */
export const webhookCreate: Body<admin.WebhookCreate> = closed(webhookCreateMembers);
/** `PATCH /admin/webhooks/{id}`. */
export const webhookChange: Body<admin.WebhookChange> = closed(webhookMembers);

const scopes = field.listOf(field.oneOf(SCOPES), 1, SCOPES.length);
const tokenMembers = { name: one(name), scopes: one(scopes), expiresAt: maybeNull(field.time) };
/** `POST /admin/tokens`. */
export const tokenCreate: Body<admin.TokenCreate> = closed(tokenMembers);
const tokenChangeMembers = { name: maybe(name), scopes: maybe(scopes), expiresAt: maybeNull(field.time) };
/** `PATCH /admin/tokens/{id}`. */
export const tokenChange: Body<admin.TokenChange> = closed(tokenChangeMembers);

/** The query of a list; other members belong to the route. */
export const pageQuery: Body<admin.PageQuery> = open({
  limit: orElse(field.digits(1, 500), "100"),
  cursor: maybe(field.text(1, 512)),
});
