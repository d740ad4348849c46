/**
 * What nodes and Core say to each other, after the edge has read it: times are UTC milliseconds, addresses canonical.
 *
 * @module
 */

/** Protocols that sessions of users speak. */
export const VPN_PROTOCOLS = [
  "vless",
  "vmess",
  "trojan",
  "shadowsocks",
  "hysteria2",
  "wireguard",
  "mtproto",
] as const;

/** Protocol of a session. */
export type VpnProtocol = (typeof VPN_PROTOCOLS)[number];

/** What happened to a session. */
export type SessionEventType = "online" | "offline";

/** What a node says about itself when it registers. */
export interface Registration {
  /** Stable unique slug of the node. */
  readonly code: string;
  readonly name: string;
  /** Canonical literal IP. */
  readonly ip: string;
  /** Port of the agent's own HTTP server. */
  readonly port: number;
  readonly region: string;
  /** Lower-case host name. */
  readonly domain?: string | undefined;
}

/** A sign of life. */
export interface Heartbeat {
  /** Canonical literal IP. */
  readonly ip?: string | undefined;
  /** What the node runs; without it nothing was applied. */
  readonly revision?: number | undefined;
  /** The header `x-config-hash`. */
  readonly configHash?: string | undefined;
}

/** The place of a report in its stream; without a number it is known by its content. */
export interface ReportPlace {
  /** Lower-case UUID. */
  readonly stream?: string | undefined;
  /** At least 1. */
  readonly seq?: number | undefined;
  /** What is missing before it is lost for good. */
  readonly gap?: boolean | undefined;
}

/** Traffic of one user in one minute. */
export interface UsageEntry {
  readonly userId: number;
  readonly subscriptionId: number | null;
  readonly nodeProtocolId: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** UTC milliseconds. */
  readonly recordedAt: number;
}

/** Traffic of users, and its place in a stream. */
export interface UsageBatch extends ReportPlace {
  readonly entries: readonly UsageEntry[];
}

/** Traffic of one outbound since the last report. */
export interface OutboundUsageItem {
  readonly tag: string;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** Traffic of outbounds, and its place in a stream. */
export interface OutboundUsageBatch extends ReportPlace {
  readonly items: readonly OutboundUsageItem[];
}

/** Somebody came or went. */
export interface SessionEvent {
  readonly userId: number;
  readonly protocol: VpnProtocol;
  readonly eventType: SessionEventType;
  /** UTC milliseconds. */
  readonly occurredAt: number;
  /** Canonical literal IP. */
  readonly ipAddress?: string | undefined;
}

/** What went wrong on a node. */
export interface NodeError {
  readonly message: string;
  readonly code?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** Figures of the machine; bytes, seconds and counts. */
export interface SystemStats {
  readonly uptimeSeconds: number;
  /** 0..100. */
  readonly cpuPercent: number;
  readonly cpuCores: number;
  readonly ramUsed: number;
  readonly ramTotal: number;
  readonly diskUsed: number;
  readonly diskTotal: number;
  readonly netRxPerSec: number;
  readonly netTxPerSec: number;
  readonly netRxTotal: number;
  readonly netTxTotal: number;
}

/** State of Xray. */
export interface XrayStats {
  readonly running: boolean;
  readonly uptimeSeconds?: number | undefined;
}

/** State of one MTProto inbound. */
export interface MtProtoStatus {
  readonly running: boolean;
  readonly uptimeSeconds?: number | undefined;
  readonly version?: string | undefined;
  readonly ready?: boolean | undefined;
  readonly connectionsCurrent: number;
  readonly connectionsTotal?: number | undefined;
  readonly activeUsers: number;
  readonly lastError?: string | undefined;
}

/** A snapshot of a node; what it does not run is absent. */
export interface NodeStats {
  readonly system?: SystemStats | undefined;
  readonly xray?: XrayStats | undefined;
  /** By inbound tag. */
  readonly mtproto?: Readonly<Record<string, MtProtoStatus>> | undefined;
  /** Checkpoints of the tunnels of the node, by instance. */
  readonly nodepass?: Readonly<Record<string, unknown>> | undefined;
}

/** One address of a connected user. */
export interface OnlineIp {
  /** Canonical literal IP. */
  readonly ip: string;
  /** UTC milliseconds. */
  readonly lastSeen: number;
}

/** A connected user. */
export interface OnlineUser {
  readonly userId: number;
  readonly nodeProtocolId: number;
  readonly ips: readonly OnlineIp[];
}

/** Who is connected. */
export interface OnlineReport {
  readonly users: readonly OnlineUser[];
  /** Addresses that were none and were left out. */
  readonly droppedIps: number;
}

/** Whom a link belongs to. */
export interface ClientRef {
  readonly userId: number;
  readonly subscriptionId: number | null;
}

/** Link UUIDs (lower case) and whom they belong to. */
export type ClientMap = Readonly<Record<string, ClientRef>>;

/** Any value of JSON that is an object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** An inbound of Xray, with what attribution needs. */
export interface XrayInbound extends JsonObject {
  readonly tag: string;
  readonly nodeProtocolId: number;
}

/** What Xray serves on a node. */
export interface XrayServiceConfig {
  readonly inbounds: readonly XrayInbound[];
  readonly outbounds: readonly JsonObject[];
  readonly routing: JsonObject;
}

/** A user of an MTProto inbound. */
export interface MtProtoUser {
  readonly uuid: string;
  /** 32 hex digits. */
  readonly secret: string;
  readonly maxConnections?: number;
  readonly maxUniqueIps?: number;
  readonly quotaBytes?: number;
  /** ISO-8601. */
  readonly expiresAt?: string;
}

/** An MTProto inbound. */
export interface MtProtoInbound {
  readonly tag: string;
  readonly nodeProtocolId: number;
  readonly listen: string;
  readonly port: number;
  readonly tlsDomain: string;
  readonly modes: { readonly classic: boolean; readonly secure: boolean; readonly tls: boolean };
  readonly users: readonly MtProtoUser[];
  readonly adTag?: string;
}

/** What telemt serves on a node. */
export interface MtProtoServiceConfig {
  readonly inbounds: readonly MtProtoInbound[];
}

/** A tunnel that a node runs. */
export interface NodePassInstance {
  readonly id: string;
  readonly alias: string;
  readonly url: string;
}

/** The tunnels of a node: sent only to agents that announce this service. */
export interface NodePassServiceConfig {
  readonly instances: readonly NodePassInstance[];
}

/** What a node is to run. */
export interface NodeConfig {
  readonly revision: number;
  readonly clientMap: ClientMap;
  readonly mtprotoClientMap: ClientMap;
  readonly services: {
    readonly xray?: XrayServiceConfig;
    readonly mtproto?: MtProtoServiceConfig;
    readonly nodepass?: NodePassServiceConfig;
  };
}

/** What happens in a fleet. */
export const EVENT_TYPES = [
  "user.online",
  "user.offline",
  "user.ip_new",
  "user.first_connected",
  "subscription.limit_reached",
  "node.registered",
  "node.online",
  "node.offline",
  "node.error",
  "node.synced",
  "node.sync_failed",
  "node.sync_stalled",
  "usage.gap",
  "usage.suspicious",
  "usage.orphan",
] as const;

/** What happened. */
export type EventType = (typeof EVENT_TYPES)[number];

/** What an administrator's token reaches: each scope includes those before it. */
export const SCOPES = ["read", "write", "admin"] as const;

/** What an administrator's token reaches. */
export type Scope = (typeof SCOPES)[number];
