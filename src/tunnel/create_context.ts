/**
 * The shared state of one instance: made here, ended here.
 *
 * @module
 */
import type { TunnelConfig } from "../config/types.ts";
import type { Logger } from "../log/types.ts";
import { IdleSweeper } from "../relay/idle_sweeper.ts";
import { TokenBucket } from "../relay/token_bucket.ts";
import type { Runtime } from "../runtime/types.ts";
import type { TunnelContext } from "./context.ts";
import { SessionLedger } from "./session_ledger.ts";

/** A context and the duty to end it. */
export interface OwnedContext<C extends TunnelConfig> {
  readonly context: TunnelContext<C>;
  /** Stops the timers of sweeper and buckets; waiting reads go on unpaid. Idempotent. */
  close(): void;
}

/** Makes the shared state of one instance. */
export function createContext<C extends TunnelConfig>(config: C, runtime: Runtime, logger: Logger): OwnedContext<C> {
  const { clock } = runtime;
  const rate = config.rateBytesPerSecond;
  const sweeper = new IdleSweeper(clock);
  const inbound = rate > 0 ? new TokenBucket(clock, rate) : null;
  const outbound = rate > 0 ? new TokenBucket(clock, rate) : null;
  return {
    context: { config, runtime, logger, ledger: new SessionLedger(clock, config.slots), sweeper, inbound, outbound },
    close: () => {
      sweeper.close();
      inbound?.close();
      outbound?.close();
    },
  };
}
