/**
 * Writes reports: everything that some of them change, in one transaction.
 *
 * @module
 */
import { NOBODY } from "../composition/serving.ts";
import type { ChangeScope, Composition } from "../composition/types.ts";
import type { Database } from "../store/database.ts";
import { addCharges, addOrphans, addRows, totalOf } from "./add_rows.ts";
import { shown } from "./amount.ts";
import { Cursors } from "./cursors.ts";
import { examine, lockSubscriptions, multipliersOf } from "./facts.ts";
import { isFirst } from "./fingerprint.ts";
import { foldedUntil } from "./folded.ts";
import { endUsedUp, type LimitParts } from "./limits.ts";
import { addOutbound } from "./outbound.ts";
import type { Outcome, Report } from "./report.ts";
import { suspicion } from "./suspicious.ts";
import { chargesOf, type MinuteRow, minuteRows, type Pair, pairsOf } from "./tally.ts";

/** Writes reports. */
export class ReportWriter {
  readonly #parts: LimitParts;
  readonly #composition: Pick<Composition, "mark" | "changed">;

  /** On the database of these parts. */
  constructor(parts: LimitParts, composition: Pick<Composition, "mark" | "changed">) {
    this.#parts = parts;
    this.#composition = composition;
  }

  /** Applies those that are due; what came of each. All of it is durable, or nothing happened. */
  async write(reports: readonly Report[]): Promise<readonly Outcome[]> {
    const { db, runtime: { clock }, metrics } = this.#parts;
    const begun = clock.now();
    let scope: ChangeScope = NOBODY;
    const outcomes = await db.transaction(async (tx) => {
      const now = Math.floor(clock.wall());
      const cursors = new Cursors(tx, now);
      await cursors.lock(reports);
      const outcomes: Outcome[] = [];
      for (const report of reports) outcomes.push(await this.#decide(tx, cursors, report, now));
      const applied = reports.filter((_, at) => outcomes[at] === "applied");
      const stored = cursors.store();
      [scope] = await Promise.all([this.#apply(tx, applied, now), stored]);
      for (const { nodeId, stream, kind, from, to } of cursors.gaps) {
        await this.#parts.events.emit(tx, { type: "usage.gap", nodeId, data: { stream, kind, from, to } });
      }
      return outcomes;
    });
    if (scope !== NOBODY) this.#composition.changed(scope);
    metrics.observe("core_usage_commit_seconds", (clock.now() - begun) / 1000);
    return outcomes;
  }

  async #decide(tx: Database, cursors: Cursors, report: Report, now: number): Promise<Outcome> {
    if (report.place.stream !== undefined) return cursors.take(report);
    if (report.fingerprint === null) return "applied";
    return await isFirst(tx, report, now) ? "applied" : "duplicate";
  }

  async #apply(tx: Database, reports: readonly Report[], now: number): Promise<ChangeScope> {
    await addOutbound(tx, reports.filter(({ kind }) => kind === "outbound"), now);
    for (const report of reports) {
      const event = suspicion(report);
      if (event !== null) await this.#parts.events.emit(tx, event);
    }
    const pairs = pairsOf(reports);
    return pairs.length === 0 ? NOBODY : await this.#count(tx, pairs, now);
  }

  /**
   * Statements that do not need each other's answers are sent together, and subscriptions are locked last: many nodes
   * serve the same users, and their reports wait for each other from there on. They run in the order in which they are
   * sent.
   */
  async #count(tx: Database, pairs: readonly Pair[], now: number): Promise<ChangeScope> {
    const [multipliers, until] = await Promise.all([
      multipliersOf(tx, pairs),
      foldedUntil(tx),
      examine(tx, pairs, now),
    ]);
    const counted = pairs.filter(({ orphan }) => orphan === null);
    const rows = minuteRows(counted, multipliers);
    const late = rows.filter(({ minute }) => minute < until);
    const written = Promise.all([
      addRows(tx, "minute", rows),
      addRows(tx, "hour", late),
      addRows(tx, "day", late),
      this.#keepOrphans(tx, pairs.filter(({ orphan }) => orphan !== null), now),
    ]);
    const [periods] = await Promise.all([lockSubscriptions(tx, counted), written]);
    const charges = chargesOf(rows, multipliers, periods);
    const charged = addCharges(tx, charges);
    const [scope] = await Promise.all([
      endUsedUp(this.#parts, this.#composition, tx, [...charges.keys()], now),
      charged,
    ]);
    return scope;
  }

  async #keepOrphans(tx: Database, pairs: readonly Pair[], now: number): Promise<void> {
    if (pairs.length === 0) return;
    const rows = minuteRows(pairs, new Map());
    await addOrphans(tx, rows, now);
    this.#parts.metrics.count("core_usage_orphans_total", rows.length);
    for (const [nodeId, own] of byNode(rows)) {
      const { up, down } = totalOf(own);
      const reasons = [...new Set(own.map(({ pair }) => pair.orphan))].sort();
      const data = { rows: own.length, bytesUp: shown(up), bytesDown: shown(down), reasons };
      await this.#parts.events.emit(tx, { type: "usage.orphan", nodeId, data });
    }
  }
}

function byNode(rows: readonly MinuteRow[]): Map<number, MinuteRow[]> {
  const nodes = new Map<number, MinuteRow[]>();
  for (const row of rows) {
    const own = nodes.get(row.pair.nodeId) ?? [];
    nodes.set(row.pair.nodeId, own);
    own.push(row);
  }
  return nodes;
}
