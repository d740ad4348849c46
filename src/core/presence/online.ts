/**
 * Who is online, and who comes online.
 *
 * @module
 */
import type { OnlineUser } from "../contract/types.ts";
import type { EphemeralEntry } from "../ephemeral/types.ts";
import type { CoreParts } from "../parts.ts";
import { inboundKey, leftKey, userKey } from "./keys.ts";

/** The right to say that somebody went is kept for less than it takes to go again. */
const LEFT_SHARE = 0.75;
const SECOND_MS = 1_000;
/** Values of failed calls that are remembered of one user. */
const MOST_UNSURE = 8;

/** Somebody who was away, and is there. */
export interface Arrival {
  readonly userId: number;
  readonly nodeId: number;
  readonly nodeProtocolId: number;
  readonly ip: string | null;
  /** How long the user was away; null: nobody knows. */
  readonly gapMs: number | null;
}

/** Somebody who is not reported any more. */
export interface Departure {
  readonly userId: number;
  readonly nodeId: number | null;
  readonly lastSeenAt: number;
}

/** When a user was reported last, as far as this replica knows. */
export interface Tracked {
  /** UTC milliseconds, less the time that stood still by then. */
  at: number;
  nodeId: number | null;
}

/** Keys that live as long as somebody is online. */
export class Online {
  /** Everybody whom this replica saw and has not seen going. */
  readonly tracked: Map<number, Tracked> = new Map();
  readonly #parts: Pick<CoreParts, "ephemeral" | "settings">;
  readonly #ttlS: number;
  readonly #userTtlS: number;
  /** Values of calls that failed, which the store may have taken nevertheless. */
  readonly #unsure = new Map<number, string[]>();
  /** Since when nobody could be reported. */
  #awaySince: number | null = null;
  #stoodStill = 0;

  /** Nobody is online. */
  constructor(parts: Pick<CoreParts, "ephemeral" | "settings">) {
    const { onlineTtlMs, userOnlineGapMs } = parts.settings;
    this.#parts = parts;
    this.#ttlS = onlineTtlMs / SECOND_MS;
    // The pause that counts as a farewell has to be measurable; readers go by the value.
    this.#userTtlS = Math.max(this.#ttlS, Math.ceil(userOnlineGapMs / SECOND_MS) + 1);
  }

  /** These are there now; those who were not come back. Of all replicas one is told of each. */
  async seen(nodeId: number, users: readonly OnlineUser[], now: number): Promise<Arrival[]> {
    const value = String(now);
    const latest = new Map<number, OnlineUser>();
    for (const user of users) {
      const before = latest.get(user.userId);
      if (before === undefined || lastOf(user) > lastOf(before)) latest.set(user.userId, user);
    }
    const people = [...latest.values()];
    const entries: EphemeralEntry[] = people.map(({ userId }) => ({
      key: userKey(userId),
      value,
      ttlS: this.#userTtlS,
    }));
    for (const { nodeProtocolId, userId } of users) {
      entries.push({ key: inboundKey(nodeProtocolId, userId), value, ttlS: this.#ttlS });
    }
    // As it is before the store is asked: of reports at the same time the store alone says which one is the first.
    const known = people.map(({ userId }) => this.tracked.get(userId)?.at ?? -Infinity);
    let previous: readonly (string | null)[];
    try {
      previous = await this.#parts.ephemeral.setExMany(entries);
    } catch (error) {
      for (const { userId } of people) this.#doubt(userId, value);
      throw error;
    }
    const still = this.stoodStill(now);
    this.#back(now);
    const arrivals: Arrival[] = [];
    people.forEach((user, index) => {
      this.#track(user.userId, nodeId, now);
      const stored = this.#isOwn(user.userId, previous[index]) ? null : timeOf(previous[index]);
      // A Redis that lost its values must not bring everybody online at once.
      const before = Math.max(stored ?? -Infinity, (known[index] ?? -Infinity) + still);
      if (now - before <= this.#parts.settings.userOnlineGapMs) return;
      const { userId, nodeProtocolId } = user;
      arrivals.push({
        userId,
        nodeId,
        nodeProtocolId,
        ip: ipOf(user),
        gapMs: before === -Infinity ? null : now - before,
      });
    });
    return arrivals;
  }

  /** Takes those out who were not reported for too long; of all replicas one is told of each. */
  async gone(now: number): Promise<Departure[]> {
    const { ephemeral, settings: { onlineTtlMs } } = this.#parts;
    if (this.#awaySince !== null) return [];
    const still = this.#stoodStill;
    const oldest = now - onlineTtlMs;
    const silent = [...this.tracked].filter(([, { at }]) => at + still <= oldest);
    if (silent.length === 0) return [];
    const values = await ephemeral.getMany(silent.map(([userId]) => userKey(userId)));
    const left: [userId: number, tracked: Tracked][] = [];
    silent.forEach(([userId, tracked], index) => {
      const elsewhere = timeOf(values[index]);
      if (elsewhere !== null && elsewhere > oldest) tracked.at = Math.max(tracked.at, elsewhere - still);
      else left.push([userId, tracked]);
    });
    if (left.length === 0) return [];
    const ttlS = Math.max(1, Math.floor(this.#ttlS * LEFT_SHARE));
    const claims = await ephemeral.setExMany(left.map(([userId]) => ({ key: leftKey(userId), value: "1", ttlS })));
    const departures: Departure[] = [];
    left.forEach(([userId, tracked], index) => {
      const lastSeenAt = tracked.at + still;
      // Reported while the others were asked.
      if (this.tracked.get(userId) !== tracked || lastSeenAt > oldest) return;
      this.tracked.delete(userId);
      if (claims[index] === null) departures.push({ userId, nodeId: tracked.nodeId, lastSeenAt });
    });
    return departures;
  }

  /** Reports cannot be taken: a pause that is not one of users. Ends with the next one that is taken. */
  away(now: number): void {
    this.#awaySince ??= now;
  }

  /** For how long reports could not be taken, in all: that much later than it says everybody was reported. */
  stoodStill(now: number): number {
    return this.#stoodStill + (this.#awaySince === null ? 0 : Math.max(0, now - this.#awaySince));
  }

  #back(now: number): void {
    this.#stoodStill = this.stoodStill(now);
    this.#awaySince = null;
  }

  #doubt(userId: number, value: string): void {
    const values = this.#unsure.get(userId) ?? [];
    this.#unsure.set(userId, [...values, value].slice(-MOST_UNSURE));
  }

  /** Whether a value comes from a call that failed, and was never told of. */
  #isOwn(userId: number, value: string | null | undefined): boolean {
    const values = this.#unsure.get(userId);
    if (values === undefined) return false;
    this.#unsure.delete(userId);
    return value !== null && value !== undefined && values.includes(value);
  }

  #track(userId: number, nodeId: number, now: number): void {
    const tracked = this.tracked.get(userId);
    const at = now - this.#stoodStill;
    if (tracked === undefined) {
      this.tracked.set(userId, { at, nodeId });
      return;
    }
    tracked.at = at;
    tracked.nodeId = nodeId;
  }
}

/** A value of a key; null where there is none. */
export function timeOf(value: string | null | undefined): number | null {
  const time = value === null || value === undefined ? NaN : Number(value);
  return Number.isSafeInteger(time) ? time : null;
}

function lastOf({ ips }: OnlineUser): number {
  return ips.reduce((last, { lastSeen }) => Math.max(last, lastSeen), -Infinity);
}

function ipOf({ ips }: OnlineUser): string | null {
  let [last] = ips;
  for (const each of ips) if (last === undefined || each.lastSeen > last.lastSeen) last = each;
  return last?.ip ?? null;
}
