/**
 * What runs the instances of a master.
 *
 * @module
 */
import type { Settings } from "../config/types.ts";
import type { Logger } from "../log/types.ts";
import { Supervisor } from "../master/supervisor/supervisor.ts";
import type { InstanceSupervisor, SupervisorEvents } from "../master/supervisor/types.ts";
import type { Runtime } from "../runtime/types.ts";
import { engineInside, engineProcesses } from "./engines.ts";
import { startTunnel } from "./tunnel.ts";

/** What runs instances needs. */
export interface StartSupervisorOptions {
  readonly runtime: Runtime;
  readonly settings: Settings;
  readonly logger: Logger;
  /** Processes that share the instances; 0: they run in this thread. */
  readonly engines: number;
  /** `process`: one for each instance. */
  readonly isolation: "shared" | "process";
}

/** Runs instances in processes, or in this thread. */
export function startSupervisor(options: StartSupervisorOptions, events: SupervisorEvents): InstanceSupervisor {
  const { runtime, settings, logger, engines, isolation } = options;
  const inside = engines === 0;
  return new Supervisor({
    startEngine: inside
      ? engineInside({ runtime, settings, startTunnel })
      : engineProcesses({ runtime, settings, logger }),
    engines: Math.max(1, engines),
    isolation: inside ? "shared" : isolation,
    settings,
    clock: runtime.clock,
    random: runtime.random,
    logger,
  }, events);
}
