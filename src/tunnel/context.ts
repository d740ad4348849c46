/**
 * What every part of one instance shares.
 *
 * @module
 */
import type { TunnelConfig } from "../config/types.ts";
import type { LimitedLogger } from "../log/limited.ts";
import type { Logger } from "../log/types.ts";
import type { TokenBucket } from "../relay/token_bucket.ts";
import type { IdleSweeper } from "../relay/idle_sweeper.ts";
import type { Runtime } from "../runtime/types.ts";
import type { SessionLedger } from "./session_ledger.ts";
import type { Crew } from "./workers/crew.ts";

/** One instance's configuration, its runtime and its shared state. */
export interface TunnelContext<C extends TunnelConfig = TunnelConfig> {
  readonly config: C;
  readonly runtime: Runtime;
  readonly logger: Logger;
  /** The same log for lines about single visitors: a few a second. */
  readonly visitorLog: LimitedLogger;
  readonly ledger: SessionLedger;
  /** The workers that serve this instance together; null when it runs in one thread. */
  readonly crew: Crew | null;
  /** Ends sessions that were silent for `read`, and drives other coarse timers. */
  readonly sweeper: IdleSweeper;
  /** Bytes from visitors and targets; null = unlimited. */
  readonly inbound: TokenBucket | null;
  /** Bytes to visitors and targets; null = unlimited. */
  readonly outbound: TokenBucket | null;
}
