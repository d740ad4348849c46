/**
 * What every part of Core is made from.
 *
 * @module
 */
import type { Logger } from "../log/types.ts";
import type { Runtime } from "../runtime/types.ts";
import type { EphemeralStore } from "./ephemeral/types.ts";
import type { EventLog } from "./events/types.ts";
import type { Jobs } from "./jobs.ts";
import type { CoreMetrics } from "./metrics.ts";
import type { CoreSecret } from "./secret.ts";
import type { CoreSettings } from "./settings.ts";
import type { Database } from "./store/database.ts";

/** The parts that are made before all others. */
export interface CoreParts {
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly settings: CoreSettings;
  readonly db: Database;
  readonly ephemeral: EphemeralStore;
  readonly secret: CoreSecret;
  readonly events: EventLog;
  readonly jobs: Jobs;
  readonly metrics: CoreMetrics;
}
