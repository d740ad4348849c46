/**
 * What an agent calls, whichever way the calls travel.
 *
 * @module
 */
import type { NodeConfig, SessionEvent, SystemStats } from "../../src/core/contract/types.ts";

/** Traffic of one user as it travels. */
export interface UsageItem {
  readonly userId: number;
  readonly subscriptionId: number | null;
  readonly nodeProtocolId: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** ISO-8601 */
  readonly recordedAt: string;
}

/** Traffic of one outbound as it travels. */
export interface OutboundItem {
  readonly tag: string;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** A connected user as it travels. */
export interface OnlineItem {
  readonly userId: number;
  readonly nodeProtocolId: number;
  readonly ips: readonly { readonly ip: string; readonly lastSeen: string }[];
}

/** The place of a report in its stream. */
export interface Place {
  readonly stream: string;
  readonly seq: number;
  readonly gap: boolean;
}

/** How often Core wants to be called, in milliseconds. */
export interface Pace {
  readonly hb: number;
  readonly stats: number;
  readonly online: number;
  readonly usage: number;
}

/** One way to Core. Every call rejects with {@linkcode Refused} or {@linkcode Lost}. */
export interface NodeDoor {
  /** What Core said last. */
  readonly pace: Pace;
  heartbeat(revision: number | null, hash: string | null): Promise<{ readonly needSync: boolean }>;
  usage(place: Place | null, entries: readonly UsageItem[]): Promise<void>;
  outboundUsage(place: Place | null, items: readonly OutboundItem[]): Promise<void>;
  latestConfig(): Promise<NodeConfig>;
  configApplied(revision: number): Promise<void>;
  nodeStats(system: SystemStats): Promise<void>;
  onlineUsers(users: readonly OnlineItem[]): Promise<void>;
  /** Over HTTP on every door. */
  sessionEvents(events: readonly SessionItem[]): Promise<void>;
  /** Over HTTP on every door. */
  nodeError(message: string, code: string, details: Readonly<Record<string, unknown>>): Promise<void>;
  close(): void;
}

/** A session event as it travels. */
export type SessionItem = Omit<SessionEvent, "occurredAt"> & { readonly occurredAt: string };

/** Core said no. */
export class Refused extends Error {
  /** SEQ_GAP and so on; the number of the status without one. */
  readonly code: string;
  /** HTTP status, or that of gRPC. */
  readonly status: number;
  /** The header `x-report-next`. */
  readonly nextSeq: number | null;
  readonly retryAfterMs: number;

  constructor(code: string, status: number, message: string, nextSeq: string | null, retryAfterMs: number) {
    super(`${code}: ${message}`);
    this.code = code;
    this.status = status;
    this.nextSeq = nextSeq === null ? null : Number(nextSeq);
    this.retryAfterMs = retryAfterMs;
  }

  /** Nothing was applied, and the same call may work later. */
  get passing(): boolean {
    return ["STORE_UNAVAILABLE", "RATE_LIMITED", "INTERNAL"].includes(this.code);
  }
}

/** Nobody knows whether Core has it. */
export class Lost extends Error {}

/** What agents do before Core said anything. */
export const DEFAULT_PACE: Pace = { hb: 10_000, stats: 2_000, online: 5_000, usage: 60_000 };

/** The header `x-core-intervals`; what it lacks stays, and nothing goes beyond 0.5 to 30 times the default. */
export function readPace(header: string | null | undefined, before: Pace): Pace {
  const pace: Record<string, number> = { ...before };
  for (const part of (header ?? "").split(",")) {
    const [name = "", text = ""] = part.split("=");
    const usual = (DEFAULT_PACE as unknown as Record<string, number>)[name.trim()];
    const value = Number(text);
    if (usual === undefined || !(value > 0)) continue;
    pace[name.trim()] = Math.min(usual * 30, Math.max(usual * 0.5, value));
  }
  return pace as unknown as Pace;
}

/** A door that loses calls: some before Core has them, some of the replies. */
export function lossy(
  door: NodeDoor,
  lostCalls: number,
  lostReplies: number,
  random: () => number = Math.random,
): NodeDoor {
  return new Proxy(door, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== "function" || name === "close") return value;
      return async (...args: unknown[]) => {
        if (random() < lostCalls) throw new Lost("lost on the way");
        const answer = await value.apply(target, args);
        if (random() < lostReplies) throw new Lost("the reply was lost");
        return answer;
      };
    },
  });
}

/** A door that is another one for every call: replicas behind a balancer. */
export function spread(doors: readonly NodeDoor[]): NodeDoor {
  return new Proxy(doors[0]!, {
    get(_, name) {
      const door = doors[Math.floor(Math.random() * doors.length)]!;
      const value = Reflect.get(door, name, door);
      return typeof value === "function" ? value.bind(door) : value;
    },
  });
}
