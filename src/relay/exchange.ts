/**
 * One TCP session without a link: visitor and target joined directly.
 *
 * @module
 */
import type { Clock, Conn } from "../runtime/types.ts";
import { copy, type CopyEnd } from "./copy.ts";
import { Ending } from "./ending.ts";
import type { IdleSweeper } from "./idle_sweeper.ts";
import type { Meter } from "./meter.ts";
import { SocketSink } from "./socket_sink.ts";
import type { TokenBucket } from "./token_bucket.ts";

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

/** How a session ends otherwise than cleanly. */
type Unclean = Exclude<ExchangeEnd, "done">;

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
  const ending = new Ending<Unclean>({
    resetBoth: () => {
      visitor.reset();
      target.reset();
      inbound?.forget(target);
      outbound?.forget(visitor);
    },
    after: (ms, run) => options.clock.after(ms, run),
  });
  session.cut = () => ending.stop("cut");
  const unwatch = options.idleMs > 0 ? options.sweeper.watch(meter, options.idleMs, () => ending.stop("idle")) : null;
  /** Once one direction has ended cleanly, the end of the other one is the close that follows it. */
  const settle = (result: CopyEnd, source: Unclean, sink: Unclean, answer: SocketSink): void => {
    if (result.kind === "end") answer.withholdEnd();
    ending.settle(result, source, sink, () => answer.withholdEnd());
  };
  await Promise.all([
    copy(visitor, toTarget, { maxBufferBytes, meter, bucket: outbound, count: "sent" })
      .then((result) => settle(result, "reset_by_visitor", "reset_by_target", toVisitor)),
    copy(target, toVisitor, { maxBufferBytes, meter, bucket: inbound })
      .then((result) => settle(result, "reset_by_target", "reset_by_visitor", toTarget)),
  ]);
  session.cut = () => {};
  unwatch?.();
  const broken = ending.finish();
  if (broken !== null) return broken;
  visitor.close();
  target.close();
  return "done";
}
