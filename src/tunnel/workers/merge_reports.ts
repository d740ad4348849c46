/**
 * The state of an instance from the states of its workers.
 *
 * @module
 */
import type { PeerInfo, Rejection, TunnelStats } from "../types.ts";
import type { WorkerReport } from "./messages.ts";

/** Nothing yet. */
export const EMPTY_REPORT: WorkerReport = {
  opened: 0,
  stats: {
    mode: null,
    modeCode: 0,
    pingMs: 0,
    pool: 0,
    tcpSessions: 0,
    tcpOpened: 0,
    udpSessions: 0,
    tcpRx: 0,
    tcpTx: 0,
    udpRx: 0,
    udpTx: 0,
    rejections: {},
    peers: [],
  },
};

/** Sums; the round trip is the worst one. */
export function mergeReports(reports: readonly WorkerReport[]): WorkerReport {
  return reports.reduce(merge, EMPTY_REPORT);
}

/** What stays of a worker that ended: what it counted, not what it had. */
export function countersOf({ opened, stats }: WorkerReport): WorkerReport {
  const { tcpOpened, tcpRx, tcpTx, udpRx, udpTx, rejections } = stats;
  return { opened, stats: { ...EMPTY_REPORT.stats, tcpOpened, tcpRx, tcpTx, udpRx, udpTx, rejections } };
}

function merge(one: WorkerReport, other: WorkerReport): WorkerReport {
  const a = one.stats;
  const b = other.stats;
  return {
    opened: one.opened + other.opened,
    stats: {
      mode: a.mode ?? b.mode,
      modeCode: a.modeCode === 0 ? b.modeCode : a.modeCode,
      pingMs: Math.max(a.pingMs, b.pingMs),
      pool: a.pool + b.pool,
      tcpSessions: a.tcpSessions + b.tcpSessions,
      tcpOpened: a.tcpOpened + b.tcpOpened,
      udpSessions: a.udpSessions + b.udpSessions,
      tcpRx: a.tcpRx + b.tcpRx,
      tcpTx: a.tcpTx + b.tcpTx,
      udpRx: a.udpRx + b.udpRx,
      udpTx: a.udpTx + b.udpTx,
      rejections: mergeRejections(a.rejections, b.rejections),
      peers: mergePeers(a.peers, b.peers),
    },
  };
}

function mergeRejections(a: TunnelStats["rejections"], b: TunnelStats["rejections"]): TunnelStats["rejections"] {
  const sum: Partial<Record<Rejection, number>> = { ...a };
  for (const [reason, count] of Object.entries(b) as [Rejection, number][]) sum[reason] = (sum[reason] ?? 0) + count;
  return sum;
}

/** Every worker of a server knows every client, and has some of its links. */
function mergePeers(a: readonly PeerInfo[], b: readonly PeerInfo[]): readonly PeerInfo[] {
  const peers = new Map(a.map((peer) => [peer.id, peer]));
  for (const peer of b) {
    const known = peers.get(peer.id);
    peers.set(
      peer.id,
      known === undefined ? peer : {
        ...known,
        pingMs: Math.max(known.pingMs, peer.pingMs),
        pool: known.pool + peer.pool,
        sessions: known.sessions + peer.sessions,
      },
    );
  }
  return [...peers.values()];
}
