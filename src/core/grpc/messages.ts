/**
 * From messages to the values that the bodies of HTTP are: both doors then check them with the same schemas.
 *
 * @module
 */
import type * as messages from "../contract/generated/node_service_pb.ts";

/** The number, or what no schema takes for one where it cannot be exact. */
function numeric(value: bigint | undefined): number | bigint | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** As the body of `POST /node/heartbeat`. */
export function heartbeatValue({ ip, revision }: messages.HeartbeatRequest): unknown {
  return { ip, revision: numeric(revision) };
}

/** As the body of `POST /node/usage`. */
export function usageValue({ entries }: messages.ReportUsageRequest): unknown {
  return {
    entries: entries.map((entry) => ({
      userId: numeric(entry.userId),
      subscriptionId: numeric(entry.subscriptionId),
      nodeProtocolId: numeric(entry.nodeProtocolId),
      bytesUp: numeric(entry.bytesUp),
      bytesDown: numeric(entry.bytesDown),
      recordedAt: entry.recordedAt,
    })),
  };
}

/** As the body of `POST /node/outbound-usage`. */
export function outboundUsageValue({ items }: messages.ReportOutboundUsageRequest): unknown {
  return {
    items: items.map(({ tag, bytesUp, bytesDown }) => ({
      tag,
      bytesUp: numeric(bytesUp),
      bytesDown: numeric(bytesDown),
    })),
  };
}

/** As the body of `POST /node/config/applied`. */
export function configAppliedValue({ revision }: messages.ConfirmConfigAppliedRequest): unknown {
  return { revision: numeric(revision) };
}

/** A snapshot, for which HTTP has no body. */
export function nodeStatsValue({ system, xray, mtprotoJson, nodepassJson }: messages.ReportNodeStatsRequest): unknown {
  return {
    system: system === undefined ? undefined : systemValue(system),
    xray: xray === undefined ? undefined : { running: xray.running, uptimeSeconds: numeric(xray.uptimeSeconds) },
    mtprotoJson,
    nodepassJson,
  };
}

function systemValue(system: messages.SystemStats): unknown {
  return {
    uptimeSeconds: numeric(system.uptimeSeconds),
    cpuPercent: system.cpuPercent,
    cpuCores: system.cpuCores,
    ramUsed: numeric(system.ramUsed),
    ramTotal: numeric(system.ramTotal),
    diskUsed: numeric(system.diskUsed),
    diskTotal: numeric(system.diskTotal),
    netRxPerSec: numeric(system.netRxPerSec),
    netTxPerSec: numeric(system.netTxPerSec),
    netRxTotal: numeric(system.netRxTotal),
    netTxTotal: numeric(system.netTxTotal),
  };
}

/** Who is connected, for which HTTP has no body. */
export function onlineUsersValue({ users }: messages.ReportOnlineUsersRequest): unknown {
  return {
    users: users.map(({ userId, nodeProtocolId, ips }) => ({
      userId: numeric(userId),
      nodeProtocolId: numeric(nodeProtocolId),
      ips,
    })),
  };
}
