/**
 * The periodic record of an instance, in words that other programs read.
 *
 * @module
 */
import type { TunnelContext } from "./context.ts";
import type { TunnelStats } from "./types.ts";

/** Options of {@linkcode startCheckpoints}. */
export interface CheckpointOptions {
  /** The state at the time of the record. */
  readonly stats: () => TunnelStats;
  /** Receives the same state. */
  readonly onReport?: ((stats: TunnelStats) => void) | undefined;
}

/** The parts of a context that are needed; `opened` is read after `stats`. */
export type CheckpointContext = Pick<TunnelContext, "config" | "logger" | "runtime"> & {
  readonly ledger: Pick<TunnelContext["ledger"], "opened">;
};

/** The record of `stats`. */
export function formatCheckpoint(stats: TunnelStats): string {
  return [
    "CHECK_POINT",
    `MODE=${stats.modeCode}`,
    `PING=${Math.round(stats.pingMs)}ms`,
    `POOL=${stats.pool}`,
    `TCPS=${stats.tcpSessions}`,
    `UDPS=${stats.udpSessions}`,
    `TCPRX=${stats.tcpRx}`,
    `TCPTX=${stats.tcpTx}`,
    `UDPRX=${stats.udpRx}`,
    `UDPTX=${stats.udpTx}`,
  ].join("|");
}

/**
 * Writes a record now and at each report interval, with a summary of the sessions of that interval if there were any.
 *
 * @returns stops it; idempotent
 */
export function startCheckpoints(context: CheckpointContext, options: CheckpointOptions): () => void {
  const { config, ledger, logger, runtime } = context;
  let opened = 0;
  let turnedAway = 0;
  let live = 0;
  const report = (): void => {
    const stats = options.stats();
    logger.event(formatCheckpoint(stats));
    const rejected = Object.values(stats.rejections).reduce((sum, count) => sum + count, 0);
    const liveNow = stats.tcpSessions + stats.udpSessions;
    const started = ledger.opened - opened;
    if (started > 0 || rejected > turnedAway) {
      const ended = live + started - liveNow;
      logger.info("Sessions since the last report", { started, ended, live: liveNow, rejected: rejected - turnedAway });
    }
    opened = ledger.opened;
    turnedAway = rejected;
    live = liveNow;
    options.onReport?.(stats);
  };
  report();
  const timer = runtime.clock.every(config.settings.reportIntervalMs, report);
  return () => timer.cancel();
}
