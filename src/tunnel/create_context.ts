/**
 * The shared state of one instance: made here, ended here.
 *
 * @module
 */
import type { TunnelConfig } from "../config/types.ts";
import { limited } from "../log/limited.ts";
import type { Logger } from "../log/types.ts";
import { IdleSweeper } from "../relay/idle_sweeper.ts";
import { TokenBucket } from "../relay/token_bucket.ts";
import type { Runtime } from "../runtime/types.ts";
import type { TunnelContext } from "./context.ts";
import { SessionLedger } from "./session_ledger.ts";
import type { Crew } from "./workers/crew.ts";
import { SharedBucket } from "./workers/shared_bucket.ts";

/** Lines about visitors that could not be served. */
const VISITOR_LINES_PER_SECOND = 5;

/** A context and the duty to end it. */
export interface OwnedContext<C extends TunnelConfig> {
  readonly context: TunnelContext<C>;
  /** Stops the timers of sweeper and buckets; waiting reads go on unpaid. Idempotent. */
  close(): void;
}

/**
 * Makes the shared state of one instance.
 *
 * @param crew the workers that serve it together
 */
export function createContext<C extends TunnelConfig>(
  config: C,
  runtime: Runtime,
  logger: Logger,
  crew: Crew | null = null,
): OwnedContext<C> {
  const { clock } = runtime;
  const sweeper = new IdleSweeper(clock);
  const bucket = (memory: SharedArrayBuffer | null): TokenBucket | null => {
    const rate = config.rateBytesPerSecond;
    if (rate === 0) return null;
    return memory === null
      ? new TokenBucket(clock, rate)
      : new SharedBucket(clock, rate, memory, crew?.clockOffsetMs ?? 0);
  };
  const inbound = bucket(crew?.inbound ?? null);
  const outbound = bucket(crew?.outbound ?? null);
  const visitorLog = limited(logger, VISITOR_LINES_PER_SECOND / (crew?.size ?? 1), () => clock.now());
  return {
    context: {
      config,
      runtime,
      logger,
      visitorLog,
      ledger: new SessionLedger(clock, config.slots, crew),
      crew,
      sweeper,
      inbound,
      outbound,
    },
    close: () => {
      visitorLog.flush();
      sweeper.close();
      inbound?.close();
      outbound?.close();
    },
  };
}
