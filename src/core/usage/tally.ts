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

/** What has to be added. */
export interface Tally {
  readonly rows: readonly MinuteRow[];
  readonly charges: ReadonlyMap<number, Charge>;
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
 * Adds up pairs.
 *
 * @param multipliers of nodes, in millionths
 * @param periods when periods began, of the subscriptions with entries before that
 */
export function tally(
  pairs: readonly Pair[],
  multipliers: ReadonlyMap<number, number>,
  periods: ReadonlyMap<number, number>,
): Tally {
  const rows: MinuteRow[] = [];
  const charges = new Map<number, Charge>();
  for (const pair of pairs) {
    const { nodeId, subscriptionId } = pair;
    const ppm = multipliers.get(nodeId) ?? ONE_PPM;
    const charge = subscriptionId === 0 ? null : charges.get(subscriptionId) ?? noCharge();
    if (charge !== null) charges.set(subscriptionId, charge);
    const periodFrom = periods.get(subscriptionId) ?? 0;
    const minutes = new Map<number, MinuteRow>();
    for (const { recordedAt, bytesUp, bytesDown } of pair.entries) {
      const minute = startOf(recordedAt, MINUTE_MS);
      let row = minutes.get(minute);
      if (row === undefined) {
        row = { pair, minute, ...noTraffic() };
        minutes.set(minute, row);
        rows.push(row);
      }
      const [countedUp, countedDown] = [charged(bytesUp, ppm), charged(bytesDown, ppm)];
      addTraffic(row, { up: bytesUp, down: bytesDown, countedUp, countedDown });
      if (charge !== null) addCharge(charge, countedUp, countedDown, recordedAt >= periodFrom);
    }
  }
  return { rows, charges };
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

function addCharge(charge: Charge, up: Amount, down: Amount, inPeriod: boolean): void {
  charge.lifetimeUp = plus(charge.lifetimeUp, up);
  charge.lifetimeDown = plus(charge.lifetimeDown, down);
  // Late bytes of a period that is over must not eat up a new one.
  if (!inPeriod) return;
  charge.usedUp = plus(charge.usedUp, up);
  charge.usedDown = plus(charge.usedDown, down);
}
