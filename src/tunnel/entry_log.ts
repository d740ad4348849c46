/**
 * Lines about single sessions: written only when the log is set to debug.
 *
 * @module
 */
import type { TunnelContext } from "./context.ts";
import type { Session } from "./session_ledger.ts";

/** Says that a visitor came. */
export function logSessionStart(context: TunnelContext, session: Session): void {
  if (!context.logger.enabled("debug")) return;
  context.logger.with({ session: session.id }).info("Session started", {
    protocol: session.protocol,
    visitor: session.visitor,
  });
}

/** Says how a session went. */
export function logSessionEnd(context: TunnelContext, session: Session, reason: string): void {
  if (!context.logger.enabled("debug")) return;
  context.logger.with({ session: session.id }).info("Session ended", {
    protocol: session.protocol,
    visitor: session.visitor,
    target: session.target,
    rx: session.meter.rx,
    tx: session.meter.tx,
    durationMs: Math.round(context.runtime.clock.now() - session.startedAt),
    reason,
  });
}
