/**
 * What the start functions take besides a URL or a configuration.
 *
 * @module
 */
import type { Logger } from "../log/types.ts";
import type { Runtime } from "../runtime/types.ts";
import type { TunnelStats } from "../tunnel/types.ts";

/** Options of `startServer`, `startClient` and `startForward`. */
export interface StartOptions {
  /** Closes the tunnel when it aborts, at once. */
  readonly signal?: AbortSignal;
  /** Receives the log. @default nothing is written */
  readonly logger?: Logger;
  /** Receives the state at each report interval (`NP_REPORT_INTERVAL`, 5 s). */
  readonly onReport?: (stats: TunnelStats) => void;
  /** Sockets, files and time. @default the runtime that this program runs on */
  readonly runtime?: Runtime;
}
