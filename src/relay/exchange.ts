/**
 * One TCP session without a link: visitor and target joined directly.
 *
 * @module
 */
import type { Clock, Conn, Timer } from "../runtime/types.ts";
import { copy, type CopyEnd } from "./copy.ts";
import type { IdleSweeper } from "./idle_sweeper.ts";
import type { Meter } from "./meter.ts";
import { SocketSink } from "./socket_sink.ts";
import type { TokenBucket } from "./token_bucket.ts";

/** How long data of a side that no longer takes any may still drain to the other side. */
const DRAIN_MS = 2000;

/** How a session ended. */
export type ExchangeEnd =
  /** Both directions ended cleanly. */
  | "done"
  | "reset_by_visitor"
  | "reset_by_target"
  /** Silent in both directions for the idle limit. */
  | "idle"
  /** Ended by its owner. */
  | "cut";

/** The part of a session that an exchange drives. */
export interface ExchangeSession {
  /** Counts at the target's socket. */
  readonly meter: Meter;
  /** Replaced while the exchange runs: calling it resets both sockets. */
  cut: () => void;
}

/** Options of {@linkcode exchange}. */
export interface ExchangeOptions {
  readonly session: ExchangeSession;
  readonly clock: Clock;
  readonly maxBufferBytes: number;
  /** Limits target to visitor; null = none. */
  readonly inbound: TokenBucket | null;
  /** Limits visitor to target; null = none. */
  readonly outbound: TokenBucket | null;
  readonly sweeper: IdleSweeper;
  /** Idle limit of both directions together; 0 = none. */
  readonly idleMs: number;
}

/**
 * Relays until both directions have ended, keeping half-closes, and closes both sockets on every path out.
 *
 * Bytes are counted once, at the target's socket: received from it, sent to it. When one side breaks, the other is
 * reset, so that cut data never looks like a clean end. Never rejects.
 */
export async function exchange(visitor: Conn, target: Conn, options: ExchangeOptions): Promise<ExchangeEnd> {
  const { session, maxBufferBytes, inbound, outbound } = options;
  const { meter } = session;
  const toVisitor = new SocketSink(visitor);
  const toTarget = new SocketSink(target);
  let outcome: ExchangeEnd | null = null;
  let drain: Timer | null = null;
  let ended = 0;

  const stop = (end: ExchangeEnd): void => {
    outcome ??= end;
    visitor.reset();
    target.reset();
    inbound?.forget(target);
    outbound?.forget(visitor);
  };
  /** Both directions report here; `source` and `sink` name who broke, `answer` is the way back from the sink. */
  const settle = (result: CopyEnd, source: ExchangeEnd, sink: ExchangeEnd, answer: SocketSink): void => {
    ended++;
    if (result.kind === "end" || outcome !== null) return;
    if (result.kind === "source_failed") return stop(source);
    if (ended === 2) return stop(sink);
    // A side that takes nothing any more may have answered before it broke: that much is still delivered.
    outcome = sink;
    answer.withholdEnd();
    drain = options.clock.after(DRAIN_MS, () => stop(sink));
  };

  session.cut = () => stop("cut");
  const unwatch = options.idleMs > 0 ? options.sweeper.watch(meter, options.idleMs, () => stop("idle")) : null;
  await Promise.all([
    copy(visitor, toTarget, { maxBufferBytes, meter, bucket: outbound, count: "sent" })
      .then((result) => settle(result, "reset_by_visitor", "reset_by_target", toVisitor)),
    copy(target, toVisitor, { maxBufferBytes, meter, bucket: inbound })
      .then((result) => settle(result, "reset_by_target", "reset_by_visitor", toTarget)),
  ]);
  session.cut = () => {};
  unwatch?.();
  (drain as Timer | null)?.cancel();
  if (outcome !== null) {
    stop(outcome);
    return outcome;
  }
  visitor.close();
  target.close();
  return "done";
}
