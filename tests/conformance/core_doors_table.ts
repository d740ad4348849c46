/**
 * Five hundred calls that both doors of Core have, right ones and wrong ones: the same list every time.
 *
 * @module
 */
import type { Population } from "../../scripts/core/admin.ts";
import { type NodeDoor, type Place, Refused, type UsageItem } from "../../scripts/core/door.ts";

/** Whose key a call shows. */
export type Caller = "first" | "second" | "disabled" | "wrong" | "none";

/** One call. */
export interface Case {
  readonly name: string;
  readonly caller: Caller;
  readonly run: (door: NodeDoor) => Promise<unknown>;
}

const CASES = 500;
const STREAMS = ["1b4e28ba-2fa1-4d1b-883f-0016d3cca427", "2c5ea4c0-4067-4fe9-8bad-9b1deb4d3b7d"] as const;
const COUNTS = [0, 1, 512, 1_048_576, 2 ** 31, 2 ** 53 - 1];
const WRONG_COUNTS = [-1, 2 ** 53, -(2 ** 40)];
const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;

/** The calls for people and nodes that were made one after the other; `now` is the start of a minute. */
export function doorCases({ nodes, userIds, subscriptionIds }: Population, now: number): Case[] {
  const below = numbers(7);
  const one = <T>(values: readonly T[]): T => values[below(values.length)]!;
  const iso = (at: number): string => new Date(at).toISOString();

  const caller = (): Caller => {
    const roll = below(100);
    if (roll < 55) return "first";
    if (roll < 93) return "second";
    // Few enough that nobody is shut out for them.
    return roll < 96 ? "disabled" : roll < 98 ? "wrong" : "none";
  };
  const place = (): Place | null =>
    below(4) === 0 ? null : { stream: one(STREAMS), seq: 1 + below(6), gap: below(12) === 0 };
  const times = [iso(now - MINUTE_MS), iso(now - 90 * MINUTE_MS), iso(now - 44 * DAY_MS), "2026-11-21T12:00:00+02:00"];
  const wrongTimes = [
    "",
    "yesterday",
    "2026-13-01T00:00:00Z",
    "2026-11-21T10:00:00",
    iso(now + 10 * MINUTE_MS),
    iso(now - 46 * DAY_MS),
  ];
  const item = (wrong: boolean): UsageItem => {
    const user = below(userIds.length);
    const right: UsageItem = {
      userId: userIds[user]!,
      subscriptionId: below(5) === 0 ? null : subscriptionIds[below(4) === 0 ? below(userIds.length) : user]!,
      nodeProtocolId: below(6) === 0 ? 999 : nodes[below(2)]!.protocolId,
      bytesUp: one(COUNTS.slice(0, 5)),
      bytesDown: one(COUNTS),
      recordedAt: one(times),
    };
    if (!wrong) return right;
    const mistakes: readonly Partial<UsageItem>[] = [
      { userId: one([0, -3, 2 ** 53]) },
      { subscriptionId: one([0, -1]) },
      { nodeProtocolId: 0 },
      { bytesUp: one(WRONG_COUNTS) },
      { bytesDown: one(WRONG_COUNTS) },
      { recordedAt: one(wrongTimes) },
    ];
    return { ...right, ...one(mistakes) };
  };

  const usage = (): Omit<Case, "caller"> => {
    const [at, wrong] = [place(), below(5) === 0];
    const entries = Array.from({ length: below(6) }, () => item(false));
    if (wrong) entries.push(item(true));
    return { name: `usage ${JSON.stringify({ at, entries })}`, run: (door) => door.usage(at, entries) };
  };
  const outbound = (): Omit<Case, "caller"> => {
    const at = place();
    const items = Array.from({ length: below(4) }, () => ({
      tag: one(["direct", "block", "proxy-1", "a>>>b", "", "x".repeat(65)].slice(0, below(5) === 0 ? 6 : 3)),
      bytesUp: below(9) === 0 ? one(WRONG_COUNTS) : one(COUNTS.slice(0, 5)),
      bytesDown: one(COUNTS.slice(0, 5)),
    }));
    return { name: `outbound ${JSON.stringify({ at, items })}`, run: (door) => door.outboundUsage(at, items) };
  };
  const heartbeat = (): Omit<Case, "caller"> => {
    const revision = one([null, 0, 1, 1, 1, 2, 7, -1, 2 ** 53]);
    return { name: `heartbeat ${revision}`, run: (door) => door.heartbeat(revision, null) };
  };
  const applied = (): Omit<Case, "caller"> => {
    const revision = one([0, 1, 1, 1, 2, 3, 50, 2 ** 53 - 1, -1]);
    return { name: `applied ${revision}`, run: (door) => door.configApplied(revision) };
  };
  const config = (): Omit<Case, "caller"> => ({ name: "config", run: (door) => door.latestConfig() });

  const kinds = [usage, usage, usage, usage, outbound, outbound, heartbeat, applied, config];
  return Array.from({ length: CASES }, () => ({ caller: caller(), ...one(kinds)() }));
}

/** What a call ends with, the same way for every door. */
export async function outcomeOf({ run }: Case, door: NodeDoor): Promise<string> {
  try {
    const { $typeName: _, ...answer } = (await run(door) ?? {}) as Record<string, unknown>;
    return JSON.stringify({ ok: true, ...answer });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return `${error.message} ${error.nextSeq}`;
  }
}

/** Numbers below a limit, the same every time. */
function numbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * limit);
  };
}
