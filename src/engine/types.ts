/**
 * What an engine is given.
 *
 * @module
 */
import type { Settings, TunnelConfig } from "../config/types.ts";
import type { Logger } from "../log/types.ts";
import type { EngineReport } from "../report/messages.ts";
import type { Runtime } from "../runtime/types.ts";
import type { TunnelHandle, TunnelStats } from "../tunnel/types.ts";

/** Starts one tunnel in this thread. */
export type StartTunnel = (
  config: TunnelConfig,
  options: {
    readonly runtime: Runtime;
    readonly logger: Logger;
    readonly signal: AbortSignal;
    readonly onReport: (stats: TunnelStats) => void;
  },
) => Promise<TunnelHandle>;

/** What all runs of an engine share. */
export interface EngineParts {
  readonly runtime: Runtime;
  readonly settings: Settings;
  readonly startTunnel: StartTunnel;
  /** Takes what the engine has to say. Never throws. */
  readonly report: (report: EngineReport) => void;
}
