/**
 * Adds up the entries of reports: what each pair of user and protocol used in each minute, what each subscription is
 * charged.
 *
 * @module
 */
import type { UsageEntry } from "../contract/types.ts";
import { type Amount, charged, ONE_PPM, plus } from "./amount.ts";
import type { Report } from "./report.ts";

/** The length of a row. */
export const MINUTE_MS = 60_000;

/** Why traffic is not counted. */
export type OrphanReason = "user" | "subscription" | "protocol" | "pair";

/** Whose traffic it is, and through what. */
export interface Pair {
  readonly nodeId: number;
  readonly nodeProtocolId: number;
  readonly userId: number;
  /** 0 without one. */
  readonly subscriptionId: number;
  readonly entries: UsageEntry[];
  /** Null while nothing speaks against it. */
  orphan: OrphanReason | null;
}

/** Bytes both ways, and what is charged for them. */
export interface Traffic {
  up: Amount;
  down: Amount;
  countedUp: Amount;
  countedDown: Amount;
}

/** What a subscription is charged. */
export interface Charge {
  /** Within the present period. */
  usedUp: Amount;
  usedDown: Amount;
  /** In all. */
  lifetimeUp: Amount;
  lifetimeDown: Amount;
}

/** Traffic of one pair in one minute. */
export interface MinuteRow extends Traffic {
  readonly pair: Pair;
  readonly minute: number;
}

/** The pairs of some reports, with their entries; entries without bytes are left out. */
export function pairsOf(reports: readonly Report[]): Pair[] {
  const pairs = new Map<string, Pair>();
  for (const { nodeId, entries } of reports) {
    for (const entry of entries) {
      if (entry.bytesUp === 0 && entry.bytesDown === 0) continue;
      const { nodeProtocolId, userId } = entry;
      const subscriptionId = entry.subscriptionId ?? 0;
      const key = `${nodeId} ${nodeProtocolId} ${userId} ${subscriptionId}`;
      const pair = pairs.get(key);
      if (pair !== undefined) pair.entries.push(entry);
      else pairs.set(key, { nodeId, nodeProtocolId, userId, subscriptionId, entries: [entry], orphan: null });
    }
  }
  return [...pairs.values()];
}

/**
 * What pairs used, minute by minute.
 *
 * @param multipliers of nodes, in millionths
 */
export function minuteRows(pairs: readonly Pair[], multipliers: ReadonlyMap<number, number>): MinuteRow[] {
  const rows: MinuteRow[] = [];
  for (const pair of pairs) {
    const minutes = new Map<number, MinuteRow>();
    for (const entry of pair.entries) {
      const minute = startOf(entry.recordedAt, MINUTE_MS);
      let row = minutes.get(minute);
      if (row === undefined) {
        row = { pair, minute, ...noTraffic() };
        minutes.set(minute, row);
        rows.push(row);
      }
      addTraffic(row, trafficOf(entry, multipliers.get(pair.nodeId)));
    }
  }
  return rows;
}

/**
 * What subscriptions are charged for rows: late bytes of a period that is over must not eat up a new one.
 *
 * @param multipliers those of the rows
 * @param periods when the present periods of the subscriptions began
 */
export function chargesOf(
  rows: readonly MinuteRow[],
  multipliers: ReadonlyMap<number, number>,
  periods: ReadonlyMap<number, number>,
): Map<number, Charge> {
  const charges = new Map<number, Charge>();
  for (const row of rows) {
    const { nodeId, subscriptionId, entries } = row.pair;
    if (subscriptionId === 0) continue;
    let charge = charges.get(subscriptionId);
    if (charge === undefined) charges.set(subscriptionId, charge = noCharge());
    charge.lifetimeUp = plus(charge.lifetimeUp, row.countedUp);
    charge.lifetimeDown = plus(charge.lifetimeDown, row.countedDown);
    const periodFrom = periods.get(subscriptionId) ?? 0;
    if (row.minute >= periodFrom) addUsed(charge, row);
    else if (row.minute + MINUTE_MS > periodFrom) {
      const inPeriod = entries.filter(({ recordedAt }) =>
        recordedAt >= periodFrom && startOf(recordedAt, MINUTE_MS) === row.minute
      );
      for (const entry of inPeriod) addUsed(charge, trafficOf(entry, multipliers.get(nodeId)));
    }
  }
  return charges;
}

/** The time at which the step begins that this time lies in. */
export function startOf(at: number, stepMs: number): number {
  return at - at % stepMs;
}

/** None. */
export function noTraffic(): Traffic {
  return { up: 0, down: 0, countedUp: 0, countedDown: 0 };
}

/** Adds `more` to `sum`. */
export function addTraffic(sum: Traffic, more: Traffic): void {
  sum.up = plus(sum.up, more.up);
  sum.down = plus(sum.down, more.down);
  sum.countedUp = plus(sum.countedUp, more.countedUp);
  sum.countedDown = plus(sum.countedDown, more.countedDown);
}

function noCharge(): Charge {
  return { usedUp: 0, usedDown: 0, lifetimeUp: 0, lifetimeDown: 0 };
}

function addUsed(charge: Charge, { countedUp, countedDown }: Traffic): void {
  charge.usedUp = plus(charge.usedUp, countedUp);
  charge.usedDown = plus(charge.usedDown, countedDown);
}

function trafficOf({ bytesUp, bytesDown }: UsageEntry, ppm: number = ONE_PPM): Traffic {
  return { up: bytesUp, down: bytesDown, countedUp: charged(bytesUp, ppm), countedDown: charged(bytesDown, ppm) };
}
