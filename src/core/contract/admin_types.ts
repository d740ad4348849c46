/**
 * What administrators ask for, after the edge has read it. In a change an absent member stays as it is.
 *
 * @module
 */
import type { EventType, JsonObject, Scope, VpnProtocol } from "./types.ts";

/** `PATCH /admin/nodes/{id}`. */
export interface NodeChange {
  readonly name?: string | undefined;
  readonly ip?: string | undefined;
  readonly port?: number | undefined;
  readonly region?: string | undefined;
  readonly domain?: string | null | undefined;
  /** Millionths: 1,000,000 counts each byte once. */
  readonly usageMultiplierPpm?: number | undefined;
  /** Routing of Xray on the node. */
  readonly routing?: JsonObject | undefined;
}

/** `POST /admin/nodes`. */
export interface NodeCreate extends NodeChange {
  readonly code: string;
  readonly name: string;
  readonly ip: string;
  readonly port: number;
  readonly region: string;
}

/** `POST /admin/nodes/{id}/config/rollback`. */
export interface Rollback {
  readonly revision: number;
}

/** `POST /admin/join-tokens`. */
export interface JoinTokenCreate {
  readonly name?: string | null | undefined;
  readonly maxUses?: number | undefined;
  /** UTC milliseconds. */
  readonly expiresAt?: number | undefined;
  readonly region?: string | null | undefined;
}

/** `PATCH /admin/users/{id}`. */
export interface UserChange {
  readonly name?: string | undefined;
  readonly note?: string | null | undefined;
  readonly status?: "active" | "disabled" | undefined;
}

/** `POST /admin/users`. */
export interface UserCreate extends UserChange {
  readonly name: string;
}

/** `PATCH /admin/subscriptions/{id}`. */
export interface SubscriptionChange {
  readonly name?: string | null | undefined;
  /** Null: no limit. */
  readonly limitBytes?: number | null | undefined;
  /** UTC milliseconds; a new period: the counters of the old one start again at zero. */
  readonly periodStartedAt?: number | undefined;
  /** UTC milliseconds; null: never. */
  readonly expiresAt?: number | null | undefined;
  /** The two other states follow from the limit and the date. */
  readonly status?: "active" | "disabled" | undefined;
}

/** `POST /admin/subscriptions`. */
export interface SubscriptionCreate extends SubscriptionChange {
  readonly userId: number;
}

/** `PATCH /admin/links/{uuid}`. */
export interface LinkChange {
  readonly subscriptionId?: number | null | undefined;
  /** 32 hex digits for MTProto, a password elsewhere; null: derived from the UUID. */
  readonly secret?: string | null | undefined;
  /** On all protocols of its kind. */
  readonly everywhere?: boolean | undefined;
  /** The protocols that it is on otherwise. */
  readonly nodeProtocolIds?: readonly number[] | undefined;
  readonly settings?: JsonObject | null | undefined;
  readonly maxConnections?: number | null | undefined;
  readonly maxUniqueIps?: number | null | undefined;
  readonly enabled?: boolean | undefined;
}

/** `POST /admin/links`. */
export interface LinkCreate extends LinkChange {
  readonly userId: number;
  readonly kind: "xray" | "mtproto";
  readonly uuid?: string | undefined;
}

/** `PATCH /admin/node-protocols/{id}`. */
export interface NodeProtocolChange {
  readonly tag?: string | undefined;
  readonly settings?: JsonObject | undefined;
  readonly enabled?: boolean | undefined;
}

/** `POST /admin/node-protocols`. */
export interface NodeProtocolCreate extends NodeProtocolChange {
  readonly nodeId: number;
  readonly service: "xray" | "mtproto";
  readonly protocol: VpnProtocol;
  readonly tag: string;
  readonly settings: JsonObject;
}

/** `PATCH /admin/node-outbounds/{id}`. */
export interface NodeOutboundChange {
  readonly tag?: string | undefined;
  readonly settings?: JsonObject | undefined;
  readonly enabled?: boolean | undefined;
}

/** `POST /admin/node-outbounds`. */
export interface NodeOutboundCreate extends NodeOutboundChange {
  readonly nodeId: number;
  readonly tag: string;
  readonly settings: JsonObject;
}

/** `PATCH /admin/node-tunnels/{id}`. */
export interface NodeTunnelChange {
  readonly alias?: string | undefined;
  readonly url?: string | undefined;
  readonly enabled?: boolean | undefined;
}

/** `POST /admin/node-tunnels`. */
export interface NodeTunnelCreate extends NodeTunnelChange {
  readonly nodeId: number;
  readonly url: string;
}

/** `PATCH /admin/webhooks/{id}`. */
export interface WebhookChange {
  readonly url?: string | undefined;
  readonly secret?: string | undefined;
  /** Without any: all. */
  readonly types?: readonly EventType[] | undefined;
  readonly enabled?: boolean | undefined;
}

/** `POST /admin/webhooks`. */
export interface WebhookCreate extends WebhookChange {
  readonly url: string;
}

/** `POST /admin/tokens`. */
export interface TokenCreate {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** UTC milliseconds; null or absent: never. */
  readonly expiresAt?: number | null | undefined;
}

/** `PATCH /admin/tokens/{id}`. */
export interface TokenChange {
  readonly name?: string | undefined;
  readonly scopes?: readonly Scope[] | undefined;
  /** UTC milliseconds; null: never. */
  readonly expiresAt?: number | null | undefined;
}

/** The query of a list. */
export interface PageQuery {
  /** 1..500. */
  readonly limit: number;
  /** Where the page before ended. */
  readonly cursor?: string | undefined;
}
