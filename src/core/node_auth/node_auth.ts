/**
 * Who calls: keys that were proven are remembered for a while, so that a call costs no look at the database.
 *
 * @module
 */
import { sourceKey } from "../../address/ip.ts";
import { Attempts } from "../../http/attempts.ts";
import { Failure } from "../failure.ts";
import type { NodeAuth, NodeCaller, NodeCredentials } from "../node_calls.ts";
import type { CoreParts } from "../parts.ts";
import { parseAuthKey } from "./auth_key.ts";
import { createForgetting, type Forgetting } from "./forgetting.ts";
import { createNodeKeys, type NodeKeys, type ProvenKey } from "./node_keys.ts";

/** How long a key counts as proven. */
export const PROVEN_MS = 60_000;
/** Keys that are remembered. */
const PROVEN_KEYS = 50_000;
/** Failures of one source that are answered as such within a minute; afterwards it waits for one. */
export const FAILURES_PER_MINUTE = 20;
const MINUTE_MS = 60_000;
/** How often the database learns when keys were used. */
const NOTE_MS = 30_000;

/** What the door needs of Core. */
export type AuthParts = Pick<CoreParts, "runtime" | "db" | "secret" | "jobs" | "logger">;

/** The door of nodes. */
export interface CoreNodeAuth extends NodeAuth {
  /** Makes, ends and proves keys. */
  readonly keys: NodeKeys;
  /**
   * Nothing that is remembered of this node counts any more: its keys, status or address changed. Here at once, on other
   * replicas within five seconds.
   */
  forget(nodeId: number): Promise<void>;
  /** Calls `run` with every node that is forgotten. */
  onForget(run: (nodeId: number) => void): void;
  /** Writes down when keys were used. */
  noteUses(): Promise<void>;
}

interface Remembered {
  readonly key: ProvenKey;
  readonly until: number;
}

/** The door of one Core. */
export function createNodeAuth(parts: AuthParts): CoreNodeAuth {
  return new Door(parts);
}

class Door implements CoreNodeAuth {
  readonly keys: NodeKeys;
  readonly #parts: AuthParts;
  readonly #failures: Attempts;
  readonly #forgetting: Forgetting;
  /** By the whole key; about the one that was proven first at the front. */
  readonly #remembered = new Map<string, Remembered>();
  readonly #underWay = new Map<string, Promise<ProvenKey | null>>();
  /** When keys were used, by their id, where the database does not know yet. */
  readonly #uses = new Map<string, number>();
  /** Changes with everything that is forgotten: what was read before then is not remembered. */
  #epoch = 0;

  constructor(parts: AuthParts) {
    this.#parts = parts;
    this.keys = createNodeKeys(parts);
    const { clock } = parts.runtime;
    this.#failures = new Attempts(
      { attempts: FAILURES_PER_MINUTE, windowMs: MINUTE_MS, pauseMs: MINUTE_MS },
      () => clock.now(),
    );
    this.#forgetting = createForgetting(parts);
    this.#forgetting.onForget((nodeId) => this.#forgetHere(nodeId));
    parts.jobs.every("nodes.keys_used", NOTE_MS, () => this.noteUses(), { lease: false });
  }

  async authenticate({ keys, ip, agentServices, access }: NodeCredentials): Promise<NodeCaller> {
    const [text, ...others] = keys;
    if (text === undefined) throw this.#refusal(ip, "AUTH_REQUIRED", "The header x-node-auth-key is missing");
    const unequal = others.some((other) => other !== text);
    const key = unequal ? null : this.#known(text) ?? await this.#proven(text);
    if (key === null) throw this.#refusal(ip, "AUTH_INVALID", "The node key is not valid");
    if (key.status === "disabled") throw new Failure("NODE_DISABLED", "The node is disabled");
    if (key.status === "pending" && access !== "heartbeat") {
      throw new Failure("NODE_PENDING", "The node waits for its approval");
    }
    const caller = { nodeId: key.nodeId, keyId: key.keyId, ip, agentServices: servicesOf(agentServices) };
    return key.status === "pending" ? { ...caller, pending: true } : caller;
  }

  forget(nodeId: number): Promise<void> {
    return this.#forgetting.forget(nodeId);
  }

  onForget(run: (nodeId: number) => void): void {
    this.#forgetting.onForget(run);
  }

  async noteUses(): Promise<void> {
    const uses = [...this.#uses];
    this.#uses.clear();
    if (uses.length === 0) return;
    // Always in one order: replicas that note the same keys must not wait for each other in a circle.
    uses.sort(([a], [b]) => a < b ? -1 : 1);
    await this.#parts.db.execMany(
      "UPDATE node_keys SET last_used_at = $2 WHERE key_id = $1 AND (last_used_at IS NULL OR last_used_at < $2)",
      uses,
    );
  }

  /** A failure counts against its source; whoever has a valid key never gets here. */
  #refusal(ip: string, failure: "AUTH_REQUIRED" | "AUTH_INVALID", message: string): Failure {
    const waitMs = this.#failures.count(sourceKey(ip));
    if (waitMs === 0) return new Failure(failure, message);
    return new Failure("RATE_LIMITED", "Too many calls without a valid key", { retryAfterMs: waitMs });
  }

  /** A key that was proven not long ago. */
  #known(text: string): ProvenKey | null {
    const remembered = this.#remembered.get(text);
    if (remembered === undefined) return null;
    const { clock } = this.#parts.runtime;
    if (remembered.until > clock.now() && !ended(remembered.key, clock.wall())) return remembered.key;
    this.#remembered.delete(text);
    return null;
  }

  async #proven(text: string): Promise<ProvenKey | null> {
    const underWay = this.#underWay.get(text);
    if (underWay !== undefined) return await underWay;
    const proving = this.#prove(text).finally(() => {
      if (this.#underWay.get(text) === proving) this.#underWay.delete(text);
    });
    this.#underWay.set(text, proving);
    return await proving;
  }

  async #prove(text: string): Promise<ProvenKey | null> {
    const { runtime: { clock }, db } = this.#parts;
    const epoch = this.#epoch;
    const parsed = parseAuthKey(text);
    let key = await this.keys.prove(db, parsed);
    if (key !== null && !key.used) {
      const now = Math.floor(clock.wall());
      const marked = await db.exec(
        `UPDATE node_keys SET first_used_at = $2, last_used_at = $2
         WHERE key_id = $1 AND first_used_at IS NULL AND revoked_at IS NULL`,
        [key.keyId, now],
      );
      // Somebody else used it first, or it ended meanwhile.
      if (marked === 0) key = await this.keys.prove(db, parsed);
    }
    if (key === null) return null;
    this.#uses.set(key.keyId, Math.floor(clock.wall()));
    if (epoch === this.#epoch) this.#remember(text, key, clock.now() + PROVEN_MS);
    return key;
  }

  #remember(text: string, key: ProvenKey, until: number): void {
    this.#remembered.set(text, { key, until });
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= PROVEN_KEYS) break;
      this.#remembered.delete(oldest);
    }
  }

  #forgetHere(nodeId: number): void {
    this.#epoch++;
    // A look that is under way may have read what was there before.
    this.#underWay.clear();
    for (const [text, { key }] of this.#remembered) if (key.nodeId === nodeId) this.#remembered.delete(text);
  }
}

function ended({ expiresAt }: ProvenKey, wall: number): boolean {
  return expiresAt !== null && expiresAt <= wall;
}

/** Services that one agent may name. */
const MOST_SERVICES = 16;
const NONE: readonly string[] = [];

function servicesOf(header: string | null): readonly string[] {
  if (header === null) return NONE;
  const names = header.toLowerCase().split(",", MOST_SERVICES).map((name) => name.trim());
  return [...new Set(names)].filter((name) => /^[a-z0-9-]{1,32}$/.test(name)).sort();
}
