/**
 * Bodies that nodes send. Members that nobody knows are ignored; nothing is coerced.
 *
 * @module
 */
import { type Body, maybe, one, open, readBy } from "./body.ts";
import * as field from "./fields.ts";
import { parseJsonText } from "./json.ts";
import { type Faults, readList, readRecord, readRows, type Shape } from "./rows.ts";
import type {
  Heartbeat,
  MtProtoStatus,
  NodeError,
  NodeStats,
  OnlineIp,
  OnlineReport,
  OnlineUser,
  OutboundUsageItem,
  Registration,
  SessionEvent,
  SystemStats,
  UsageEntry,
  XrayStats,
} from "./types.ts";
import { VPN_PROTOCOLS } from "./types.ts";

/** Records that one report may carry. */
export const LIMITS = {
  entries: 20_000,
  items: 4_096,
  events: 10_000,
  users: 50_000,
  ipsPerUser: 64,
  statusBytes: 65_536,
} as const;

/** `POST /node/register`. */
export const registerBody: Body<Registration> = open({
  code: one(field.code),
  name: one(field.text(1, 128)),
  ip: one(field.ip),
  port: one(field.integer(1, 65_535)),
  region: one(field.text(1, 64)),
  domain: maybe(field.hostName),
});

/** `POST /node/heartbeat`. */
export const heartbeatBody: Body<Pick<Heartbeat, "ip" | "revision">> = open({
  ip: maybe(field.ip),
  revision: maybe(field.count),
});

const usageEntry: Shape<UsageEntry> = {
  userId: field.id,
  subscriptionId: field.nullable(field.id),
  nodeProtocolId: field.id,
  bytesUp: field.count,
  bytesDown: field.count,
  recordedAt: field.time,
};

/** `POST /node/usage`. */
export const usageBody: Body<{ readonly entries: readonly UsageEntry[] }> = readBy(({ entries }, faults) => ({
  entries: readRows(entries, "entries", usageEntry, LIMITS.entries, faults),
}));

const outboundUsageItem: Shape<OutboundUsageItem> = {
  tag: field.tag,
  bytesUp: field.count,
  bytesDown: field.count,
};

/** `POST /node/outbound-usage`. */
export const outboundUsageBody: Body<{ readonly items: readonly OutboundUsageItem[] }> = readBy(
  ({ items }, faults) => ({ items: readRows(items, "items", outboundUsageItem, LIMITS.items, faults) }),
);

const words = field.oneOf(["online", "offline"]);

const sessionEvent: Shape<SessionEvent> = {
  userId: field.id,
  protocol: field.oneOf(VPN_PROTOCOLS),
  eventType: { ...words, read: (value) => words.read(typeof value === "string" ? value.toLowerCase() : value) },
  occurredAt: field.time,
  ipAddress: field.optional(field.ip),
};

/** `POST /node/session-events`. */
export const sessionEventsBody: Body<{ readonly events: readonly SessionEvent[] }> = readBy(({ events }, faults) => ({
  events: readRows(events, "events", sessionEvent, LIMITS.events, faults),
}));

/** `POST /node/config/applied`. */
export const configAppliedBody: Body<{ readonly revision: number }> = open({ revision: one(field.count) });

/** `POST /node/error`. */
export const nodeErrorBody: Body<NodeError> = open({
  message: one(field.text(1, 4_000, { controls: "all" })),
  code: maybe(field.text(0, 64)),
  details: maybe(field.jsonObject(8, 32 * 1024)),
});

const cpuPercent: field.Field<number> = {
  expected: "a number",
  read: (value) => Number.isFinite(value) ? Math.min(100, Math.max(0, value as number)) : field.FAULT,
};

const systemStats: Shape<SystemStats> = {
  uptimeSeconds: field.count,
  cpuPercent,
  cpuCores: field.count,
  ramUsed: field.count,
  ramTotal: field.count,
  diskUsed: field.count,
  diskTotal: field.count,
  netRxPerSec: field.count,
  netTxPerSec: field.count,
  netRxTotal: field.count,
  netTxTotal: field.count,
};

const xrayStats: Shape<XrayStats> = { running: field.flag, uptimeSeconds: field.optional(field.count) };

const mtProtoStatus: Shape<MtProtoStatus> = {
  running: field.flag,
  uptimeSeconds: field.optional(field.count),
  version: field.optional(field.text(0, 128)),
  ready: field.optional(field.flag),
  connectionsCurrent: field.count,
  connectionsTotal: field.optional(field.count),
  activeUsers: field.count,
  lastError: field.optional(field.text(0, 4_000, { controls: "all" })),
};

/** A snapshot of a node. The two maps come as text of JSON; empty text is no map. */
export const nodeStatsBody: Body<NodeStats> = readBy((value, faults) => ({
  system: value.system === undefined ? undefined : readRecord(value.system, "system", systemStats, faults),
  xray: value.xray === undefined ? undefined : readRecord(value.xray, "xray", xrayStats, faults),
  mtproto: readStatuses(value.mtprotoJson, faults),
  nodepass: readMap(value.nodepassJson, "nodepassJson", faults),
}));

function readStatuses(text: unknown, faults: Faults): Record<string, MtProtoStatus> | undefined {
  const map = readMap(text, "mtprotoJson", faults);
  if (map === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(map).map(([tag, status]) => {
      const path = `mtprotoJson.${tag}`;
      if (field.tag.read(tag) === field.FAULT) faults.add(path, `a tag of ${field.tag.expected}`);
      return [tag, readRecord(status, path, mtProtoStatus, faults)];
    }),
  );
}

const statusMap = field.jsonObject(8, LIMITS.statusBytes);

function readMap(text: unknown, path: string, faults: Faults): Readonly<Record<string, unknown>> | undefined {
  if (text === undefined || text === "") return undefined;
  const map = typeof text === "string" && text.length <= LIMITS.statusBytes
    ? statusMap.read(parsed(text))
    : field.FAULT;
  if (map !== field.FAULT) return map;
  faults.add(path, `JSON of ${statusMap.expected}`);
  return undefined;
}

function parsed(text: string): unknown {
  try {
    return parseJsonText(text);
  } catch {
    return undefined;
  }
}

/** Who is connected. An address that is none is left out and counted: it must not hide the other users. */
export const onlineUsersBody: Body<OnlineReport> = readBy((value, faults) => {
  const list = readList(value.users, "users", LIMITS.users, faults);
  const users: OnlineUser[] = [];
  let droppedIps = 0;
  for (let index = 0; index < list.length && !faults.full; index++) {
    const path = `users.${index}`;
    const { ips, ...user } = readRecord(list[index], path, onlineUser, faults);
    const read = readIps(ips, `${path}.ips`, faults);
    droppedIps += read.dropped;
    users.push({ ...user, ips: read.ips });
  }
  return { users, droppedIps };
});

const anything: field.Field<unknown> = { expected: "anything", read: (value) => value };
const onlineUser: Shape<Omit<OnlineUser, "ips"> & { readonly ips: unknown }> = {
  userId: field.id,
  nodeProtocolId: field.id,
  ips: anything,
};
const onlineIp: Shape<OnlineIp> = {
  ip: { ...field.ip, read: (value) => typeof value === "string" ? dropped(field.ip.read(value)) : field.FAULT },
  lastSeen: field.time,
};

/** "" stands for an address that is none. */
function dropped(ip: string | typeof field.FAULT): string {
  return ip === field.FAULT ? "" : ip;
}

function readIps(value: unknown, path: string, faults: Faults): { ips: readonly OnlineIp[]; dropped: number } {
  const all = readRows(value, path, onlineIp, LIMITS.ipsPerUser, faults);
  const ips = all.filter(({ ip }) => ip !== "");
  return { ips, dropped: all.length - ips.length };
}
