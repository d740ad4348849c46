/**
 * From what a tunnel shows to what is reported of it.
 *
 * @module
 */
import type { TunnelConfig } from "../config/types.ts";
import { goodKeyLength } from "../config/key.ts";
import type { InstanceReport, SessionRecord } from "../report/types.ts";
import type { SessionInfo, TunnelStats } from "../tunnel/types.ts";

/** The record of this moment. */
export function reportOf(stats: TunnelStats, weakKey: boolean): InstanceReport {
  return {
    mode: stats.modeCode,
    ping: Math.round(stats.pingMs),
    pool: stats.pool,
    tcps: stats.tcpSessions,
    udps: stats.udpSessions,
    tcprx: stats.tcpRx,
    tcptx: stats.tcpTx,
    udprx: stats.udpRx,
    udptx: stats.udpTx,
    connections: stats.tcpOpened,
    rejections: { ...stats.rejections },
    // Forwarding alone asks for no key.
    weakKey: weakKey && stats.mode !== "single",
  };
}

/** One session. */
export function sessionRecordOf({ id, protocol, visitor, target, ageMs, rx, tx }: SessionInfo): SessionRecord {
  return { id, protocol, visitor, target, ageMs: Math.max(0, Math.round(ageMs)), rx, tx };
}

/** Whether somebody else could guess the key; an end that only forwards needs none. */
export function hasWeakKey({ key, role, mode }: TunnelConfig): boolean {
  if (role === "client" && mode === "single") return false;
  return key.origin === "port" || key.secret.reveal().length < goodKeyLength;
}
