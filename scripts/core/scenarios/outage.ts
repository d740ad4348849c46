/**
 * Core is back after six hours, and everybody has something to tell: C3.
 *
 * @module
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path/posix";
import type { Row } from "../../bench/rows.ts";
import type { RuntimeName } from "../../../tests/e2e/process.ts";
import { Fleet } from "../fleet.ts";
import { HttpDoor } from "../http_door.ts";
import { writeJournal } from "../journal.ts";
import { readLedger } from "../ledger.ts";
import { CoreStage, type StoreKind } from "../stage.ts";

const FLUSH_MS = 120_000;
/** Agents that found nobody come back at different times, and who has something to tell tells it soon. */
const SPREAD_MS = 10_000;
const HEARTBEAT_MS = 1_000;
const PROBE_MS = 50;
const MINUTE_MS = 60_000;
const BYTES = 1_000;

/** So many agents with a report for every minute of so many hours. */
export async function outage(
  runtime: RuntimeName,
  store: StoreKind,
  { agents, users, hours }: { readonly agents: number; readonly users: number; readonly hours: number },
): Promise<Row> {
  await using stage = await CoreStage.open(runtime, store);
  const { nodes, userIds, subscriptionIds } = await stage.admin.populate({ nodes: agents, users });
  const now = Date.now();
  for (const { code, protocolId } of nodes) {
    const folder = join(stage.folder, code);
    mkdirSync(folder);
    const buckets = Array.from({ length: hours * 60 }, (_, minute) => {
      const at = now - (minute + 1) * MINUTE_MS;
      const recordedAt = new Date(at - at % MINUTE_MS).toISOString();
      const entries = userIds.map((userId, index) => ({
        ...{ userId, subscriptionId: subscriptionIds[index]!, nodeProtocolId: protocolId, recordedAt },
        ...{ bytesUp: BYTES, bytesDown: 2 * BYTES },
      }));
      return { at, entries };
    });
    writeJournal(folder, buckets);
  }
  await using fleet = new Fleet(stage.folder);
  const span = { startedAt: now, endsAt: now };
  const probe = new Probe(new HttpDoor(stage.place.base, nodes[0]!.key));
  const startedAt = performance.now();
  await fleet.start({
    ...{ cores: [stage.place], nodes, folder: stage.folder, span },
    ...{ speed: 1, spreadMs: SPREAD_MS, lostCalls: 0, lostReplies: 0 },
  });
  const counts = await fleet.drained(2 * FLUSH_MS);
  const flushMs = Math.round(performance.now() - startedAt);
  const heartbeatP99Ms = await probe.stop();
  await stage.core.process.stop();
  const { rows, lifetime, orphans } = await readLedger(stage.env);
  const entries = agents * hours * 60 * users;
  // What the counters of outbounds show at that time is nothing: users alone have traffic.
  const lost = entries * BYTES - rows.up + (entries * BYTES - lifetime.up);
  return {
    id: "C3",
    pass: lost === 0 && orphans.up === 0 && flushMs <= FLUSH_MS && heartbeatP99Ms <= HEARTBEAT_MS &&
      counts.faults.length === 0,
    measured: {
      ...{ store, agents, users, hours, entries, flushMs, perSecond: Math.round(entries / flushMs * 1000) },
      ...{ lost, heartbeatP99Ms, ...counts },
    },
    demand: `all ingested <= ${FLUSH_MS / 1000} s, 0 lost, heartbeats p99 <= ${HEARTBEAT_MS} ms`,
  };
}

/** Heartbeats that tell how Core is. */
class Probe {
  readonly #times: number[] = [];
  readonly #running: Promise<void>;
  #stopped = false;

  constructor(door: HttpDoor) {
    this.#running = this.#run(door);
  }

  async stop(): Promise<number> {
    this.#stopped = true;
    await this.#running;
    const sorted = this.#times.sort((a, b) => a - b);
    return Math.round(sorted[Math.floor(sorted.length * 0.99)] ?? Infinity);
  }

  async #run(door: HttpDoor): Promise<void> {
    while (!this.#stopped) {
      const startedAt = performance.now();
      await door.heartbeat(0, null).catch(() => this.#times.push(Infinity));
      this.#times.push(performance.now() - startedAt);
      await new Promise((resolve) => setTimeout(resolve, PROBE_MS));
    }
  }
}
