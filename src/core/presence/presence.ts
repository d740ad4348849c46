/**
 * Who is connected: reports of nodes become keys that die, addresses that stay, and events.
 *
 * @module
 */
import { messageOf } from "../../errors.ts";
import type { AdminPresence } from "../admin/deps.ts";
import type { OnlineUser } from "../contract/types.ts";
import type { NewEvent } from "../events/types.ts";
import type { CoreParts } from "../parts.ts";
import { type Database, idsAmong, num } from "../store/database.ts";
import { Addresses, type SeenAddress } from "./addresses.ts";
import { Belonging } from "./belonging.ts";
import { type Arrival, type Departure, Online } from "./online.ts";
import { readings } from "./readings.ts";
import { keepAddresses } from "./retention.ts";
import { seedOnline, writeSnapshot } from "./snapshot.ts";

const FLUSH_MS = 60_000;
const SWEEP_MS = 1_000;
const SNAPSHOT_MS = 5_000;
/** Events that wait for a database that is away. */
const MOST_OWED = 100_000;

/** Who is connected. */
export interface Presence extends AdminPresence {
  /** @throws {Failure} STORE_UNAVAILABLE; what was found out by then is not lost */
  report(nodeId: number, users: readonly OnlineUser[]): Promise<void>;
  /** Takes up what was known before a restart, so that nobody comes online who never went. Never rejects. */
  seed(): Promise<void>;
  /** What was kept of the addresses of a user was erased. */
  forget(userId: number): void;
  /** Writes what is not written yet. Never rejects. Idempotent. */
  close(): Promise<void>;
}

/** Who is connected to the fleet of this Core. */
export function createPresence(parts: CoreParts): Presence {
  return new CorePresence(parts);
}

class CorePresence implements Presence {
  readonly onlineUsers: Presence["onlineUsers"];
  readonly user: Presence["user"];
  readonly #parts: CoreParts;
  readonly #belonging: Belonging;
  readonly #addresses: Addresses;
  readonly #online: Online;
  /** What was found out and could not be written. */
  #arrivals: Arrival[] = [];
  #departures: Departure[] = [];
  #closed: Promise<void> | null = null;

  constructor(parts: CoreParts) {
    const { jobs, metrics } = parts;
    this.#parts = parts;
    this.#belonging = new Belonging(parts);
    this.#addresses = new Addresses(parts);
    this.#online = new Online(parts);
    ({ onlineUsers: this.onlineUsers, user: this.user } = readings(parts));
    metrics.gauge("core_online_users", () => this.#online.tracked.size);
    jobs.every("presence.left", SWEEP_MS, () => this.#sweep(), { lease: false });
    jobs.every("presence.addresses", FLUSH_MS, () => this.#addresses.flush(this.#now()), { lease: false });
    jobs.every("presence.snapshot", SNAPSHOT_MS, () => this.#snapshot(), { lease: false });
    keepAddresses(parts);
  }

  async report(nodeId: number, users: readonly OnlineUser[]): Promise<void> {
    const { own, arrivals, now } = await this.#seen(nodeId, users);
    // Only now: the list is another one after each write.
    this.#arrivals.push(...arrivals);
    const fresh = this.#addresses.note(own, now);
    if (fresh.length > 0 || this.#arrivals.length > 0) await this.#write(fresh, now);
  }

  seed(): Promise<void> {
    return seedOnline(this.#parts, this.#online.tracked);
  }

  forget(userId: number): void {
    this.#addresses.forget(userId);
  }

  close(): Promise<void> {
    return this.#closed ??= (async () => {
      try {
        await this.#write([], this.#now());
        await this.#addresses.flush(this.#now());
        await this.#snapshot();
      } catch (error) {
        this.#parts.logger.warn("The last reports of online users were not noted", { reason: messageOf(error) });
      }
    })();
  }

  async #seen(
    nodeId: number,
    users: readonly OnlineUser[],
  ): Promise<{ own: readonly OnlineUser[]; arrivals: Arrival[]; now: number }> {
    try {
      const own = await this.#belonging.of(nodeId, users);
      const now = this.#now();
      return { own, arrivals: await this.#online.seen(nodeId, own, now), now };
    } catch (error) {
      this.#online.away(this.#now());
      throw error;
    }
  }

  async #sweep(): Promise<void> {
    const departures = await this.#online.gone(this.#now());
    this.#departures.push(...departures);
    if (this.#departures.length > 0 || this.#arrivals.length > 0) await this.#write([], this.#now());
  }

  #snapshot(): Promise<void> {
    const now = this.#now();
    return writeSnapshot(this.#parts, this.#online.tracked, { now, stoodStill: this.#online.stoodStill(now) });
  }

  /** Writes all that is owed, and these pairs. */
  async #write(fresh: readonly SeenAddress[], now: number): Promise<void> {
    const [arrivals, departures] = [this.#arrivals, this.#departures];
    if (fresh.length + arrivals.length + departures.length === 0) return;
    this.#arrivals = [];
    this.#departures = [];
    try {
      const added = await this.#parts.db.transaction(async (tx) => {
        await this.#emitDepartures(tx, departures);
        await this.#emitArrivals(tx, arrivals, now);
        return await this.#addAddresses(tx, fresh, now);
      });
      this.#addresses.learn(fresh, added);
      const { metrics } = this.#parts;
      if (arrivals.length > 0) metrics.count("core_users_arrived_total", arrivals.length);
      if (departures.length > 0) metrics.count("core_users_left_total", departures.length);
    } catch (error) {
      this.#arrivals = [...arrivals, ...this.#arrivals].slice(-MOST_OWED);
      this.#departures = [...departures, ...this.#departures].slice(-MOST_OWED);
      throw error;
    }
  }

  async #emitDepartures(tx: Database, departures: readonly Departure[]): Promise<void> {
    await this.#parts.events.emit(
      tx,
      departures.map(({ userId, nodeId, lastSeenAt }) => ({
        type: "user.offline",
        userId,
        ...(nodeId === null ? {} : { nodeId }),
        data: { lastSeenAt },
      })),
    );
  }

  async #emitArrivals(tx: Database, arrivals: readonly Arrival[], now: number): Promise<void> {
    if (arrivals.length === 0) return;
    const first = await firstConnected(tx, arrivals, now);
    const happened: NewEvent[] = [];
    for (const { userId, nodeId, nodeProtocolId, ip, gapMs } of arrivals) {
      const data = { nodeId, nodeProtocolId, ip };
      if (first.delete(userId)) happened.push({ type: "user.first_connected", nodeId, userId, data });
      happened.push({ type: "user.online", nodeId, userId, data: { ...data, gapMs } });
    }
    await this.#parts.events.emit(tx, happened);
  }

  async #addAddresses(tx: Database, fresh: readonly SeenAddress[], now: number): Promise<SeenAddress[]> {
    const added = await this.#addresses.insert(tx, fresh, now);
    await this.#parts.events.emit(
      tx,
      added.map(({ userId, ip, nodeProtocolId }) => ({
        type: "user.ip_new",
        userId,
        data: { nodeProtocolId, ip },
      })),
    );
    return added;
  }

  #now(): number {
    return Math.floor(this.#parts.runtime.clock.wall());
  }
}

/** Notes who was never connected before. */
async function firstConnected(tx: Database, arrivals: readonly Arrival[], now: number): Promise<Set<number>> {
  if (arrivals.length === 0) return new Set();
  const ids = [...new Set(arrivals.map(({ userId }) => userId))].sort((a, b) => a - b);
  const { among, param } = idsAmong(tx, 1, ids);
  const rows = await tx.query(
    `UPDATE users SET first_connected_at = $2 WHERE first_connected_at IS NULL AND id ${among} RETURNING id`,
    [param, now],
  );
  return new Set(rows.map((row) => num(row.id)));
}
