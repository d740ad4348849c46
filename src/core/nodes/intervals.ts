/**
 * How often nodes are to call: as often as somebody looks, and as seldom as a large fleet needs.
 *
 * @module
 */
import type { NodeIntervals } from "../node_calls.ts";
import { num } from "../store/database.ts";
import type { CoreParts } from "../parts.ts";

/** A fleet of this size sends its figures all the time. */
const SMALL_FLEET = 500;
/** How long somebody who looked counts as looking. */
const WATCH_MS = 60_000;
const COUNT_MS = 30_000;
const STATS_MS = 2_000;
/** Of fleets that are larger than small, and of those that are ten times as large. */
const SLOW_STATS_MS = 10_000;
const SLOWEST_STATS_MS = 30_000;
const ONLINE_MS = 5_000;
const SLOW_ONLINE_MS = 8_000;

/** What nodes are told. */
export interface Intervals {
  /** For one node, now. */
  of(nodeId: number): NodeIntervals;
  /** Somebody looks at the figures of this node. */
  watch(nodeId: number): void;
  /** Counts the fleet again. */
  count(): Promise<void>;
}

/** Intervals of one Core. */
export function createIntervals(
  { runtime: { clock }, db, jobs, settings }: Pick<CoreParts, "runtime" | "db" | "jobs" | "settings">,
): Intervals {
  let fleet = 0;
  const watched = new Map<number, number>();
  const count = async (): Promise<void> => {
    const [row] = await db.query<{ nodes: bigint }>("SELECT COUNT(*) AS nodes FROM nodes WHERE status <> 'disabled'");
    fleet = num(row?.nodes);
    for (const [nodeId, until] of watched) if (until <= clock.now()) watched.delete(nodeId);
  };
  jobs.every("nodes.count", COUNT_MS, count, { lease: false });
  return {
    of(nodeId) {
      const large = fleet > SMALL_FLEET;
      const looks = (watched.get(nodeId) ?? 0) > clock.now();
      const slowMs = Math.min(SLOWEST_STATS_MS, SLOW_STATS_MS * Math.ceil(fleet / (SMALL_FLEET * 5)));
      // A pause that counts as a farewell, jitter included, would bring everybody online again and again.
      const onlineMs = Math.min(large ? SLOW_ONLINE_MS : ONLINE_MS, Math.floor(settings.userOnlineGapMs * 0.8));
      return {
        heartbeat: 10_000,
        stats: large && !looks ? slowMs : STATS_MS,
        online: onlineMs,
        usage: 60_000,
      };
    },
    watch: (nodeId) => void watched.set(nodeId, clock.now() + WATCH_MS),
    count,
  };
}
