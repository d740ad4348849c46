/**
 * What has to be done for the tables of usage now and then.
 *
 * @module
 */
import { messageOf } from "../../errors.ts";
import type { CoreParts } from "../parts.ts";
import { fold } from "./fold.ts";
import { makePartitions } from "./partitions.ts";
import { forgetOld } from "./retention.ts";
import { checkCounters } from "./self_check.ts";

const FOLD_MS = 5 * 60_000;
const HOUR_MS = 3_600_000;

/** Asks for all of it; resolves when PostgreSQL has room for today, which never fails. */
export async function keepUp(
  { db, jobs, logger, metrics, runtime: { clock } }: Pick<CoreParts, "db" | "jobs" | "logger" | "metrics" | "runtime">,
): Promise<void> {
  const now = (): number => Math.floor(clock.wall());
  jobs.every("usage.fold", FOLD_MS, (signal) => fold(db, now(), signal));
  jobs.every("usage.retention", HOUR_MS, (signal) => forgetOld(db, now(), signal));
  jobs.every("usage.check", 24 * HOUR_MS, async (signal) => {
    await checkCounters({ db, logger, metrics }, now(), signal);
  });
  if (db.dialect === "sqlite") return;
  jobs.every("usage.partitions", HOUR_MS, () => makePartitions(db, now()));
  try {
    await makePartitions(db, now());
  } catch (error) {
    // Rows go to the rest until the job succeeds.
    logger.warn("No partition was made for the usage of today", { reason: messageOf(error) });
  }
}
