/**
 * What every replica must forget when one of them changed a node: said through the database that they share.
 *
 * @module
 */
import { messageOf } from "../../errors.ts";
import type { CoreParts } from "../parts.ts";

/** How often a replica looks for what others changed. */
const LOOK_MS = 2_000;
/** By then every replica has seen it, or what it remembered has ended by itself. */
const KEPT_MS = 10 * 60_000;
const PREFIX = "node_changed:";
/** The character behind the colon: the end of the range. */
const PREFIX_END = "node_changed;";

/** Says which nodes changed. */
export interface Forgetting {
  /** Here at once, on other replicas a moment later. */
  forget(nodeId: number): Promise<void>;
  /** Calls `run` with every node that changed, here or elsewhere. */
  onForget(run: (nodeId: number) => void): void;
  /** Looks for what others changed. */
  look(): Promise<void>;
}

/** For one Core; SQLite has one process alone, so that nothing has to be said. */
export function createForgetting(
  { runtime: { clock, random }, db, jobs, logger }: Pick<CoreParts, "runtime" | "db" | "jobs" | "logger">,
): Forgetting {
  const listeners: ((nodeId: number) => void)[] = [];
  const replicas = db.dialect === "postgres";
  let seen: ReadonlyMap<string, string> = new Map();

  const tell = (nodeId: number): void => listeners.forEach((run) => run(nodeId));
  const look = async (): Promise<void> => {
    const rows = await db.query<{ key: string; value: string }>(
      "SELECT key, value FROM core_values WHERE key >= $1 AND key < $2",
      [PREFIX, PREFIX_END],
    );
    const before = seen;
    seen = new Map(rows.map(({ key, value }) => [key, value]));
    for (const { key, value } of rows) if (before.get(key) !== value) tell(Number(key.slice(PREFIX.length)));
  };
  if (replicas) {
    jobs.every("nodes.changed", LOOK_MS, look, { lease: false });
    jobs.every("nodes.changed_tidy", KEPT_MS, async () => {
      await db.exec("DELETE FROM core_values WHERE key >= $1 AND key < $2 AND value < $3", [
        PREFIX,
        PREFIX_END,
        // Times of this age have the same number of digits.
        String(Math.floor(clock.wall()) - KEPT_MS),
      ]);
    });
  }

  return {
    async forget(nodeId) {
      tell(nodeId);
      if (!replicas) return;
      await db.exec(
        "INSERT INTO core_values (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        // Two changes within one millisecond must not look like one.
        [`${PREFIX}${nodeId}`, `${Math.floor(clock.wall())} ${random.fraction()}`],
      ).catch((error) =>
        logger.warn("Other replicas were not told of a node", { node: nodeId, reason: messageOf(error) })
      );
    },
    onForget: (run) => void listeners.push(run),
    look,
  };
}
