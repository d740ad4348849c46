/**
 * Adds traffic to the tables.
 *
 * @module
 */
import { clampedSum, type Database } from "../store/database.ts";
import { type Cell, rowSource } from "./row_source.ts";
import { addTraffic, type Charge, type MinuteRow, noTraffic, startOf, type Traffic } from "./tally.ts";

/** The tables, and their steps. */
export const STEPS: Readonly<Record<Step, { readonly table: string; readonly ms: number }>> = {
  minute: { table: "usage_minutes", ms: 60_000 },
  hour: { table: "usage_hours", ms: 3_600_000 },
  day: { table: "usage_days", ms: 24 * 3_600_000 },
};

/** A table of usage: the length of its rows. */
export type Step = "minute" | "hour" | "day";

/** Columns that are added up. */
export const SUMS = ["bytes_up", "bytes_down", "counted_up", "counted_down"] as const;

/** Columns that say whose it is. */
export const WHOSE = "node_id, node_protocol_id, user_id, subscription_id";

/** What to do with a row that is there. */
export function addToRow(step: Step): string {
  const { table } = STEPS[step];
  const sums = SUMS.map((column) => `${column} = ${clampedSum(`${table}.${column}`, `excluded.${column}`)}`);
  return `ON CONFLICT (${WHOSE}, ${step}) DO UPDATE SET ${sums.join(", ")}`;
}

/** Adds rows of minutes to a table: to minutes as they are, to hours and days as what they come to. */
export async function addRows(tx: Database, step: Step, rows: readonly MinuteRow[]): Promise<void> {
  if (rows.length === 0) return;
  const cells = step === "minute" ? rows.map((row) => cellsOf(row, row.minute)) : gathered(rows, STEPS[step].ms);
  const columns = Object.fromEntries([...WHOSE.split(", "), step, ...SUMS].map((name) => [name, "bigint" as const]));
  const source = rowSource(tx, columns, cells);
  const names = Object.keys(columns).join(", ");
  const order = step !== "minute" ? `user_id, ${step}` : tx.dialect === "sqlite" ? "node_id, minute" : "minute";
  await tx.exec(
    `INSERT INTO ${STEPS[step].table} (${names}) SELECT ${names} FROM ${source.sql} WHERE true
      ORDER BY ${order}, ${WHOSE} ${addToRow(step)}`,
    source.params,
  );
}

function gathered(rows: readonly MinuteRow[], stepMs: number): Cell[][] {
  const sums = new Map<string, MinuteRow>();
  for (const row of rows) {
    const { nodeId, nodeProtocolId, userId, subscriptionId } = row.pair;
    const at = startOf(row.minute, stepMs);
    const key = `${nodeId} ${nodeProtocolId} ${userId} ${subscriptionId} ${at}`;
    let sum = sums.get(key);
    if (sum === undefined) sums.set(key, sum = { pair: row.pair, minute: at, ...noTraffic() });
    addTraffic(sum, row);
  }
  return [...sums.values()].map((sum) => cellsOf(sum, sum.minute));
}

function cellsOf({ pair, up, down, countedUp, countedDown }: MinuteRow, at: number): Cell[] {
  const { nodeId, nodeProtocolId, userId, subscriptionId } = pair;
  return [nodeId, nodeProtocolId, userId, subscriptionId, at, up, down, countedUp, countedDown];
}

/** Charges subscriptions. */
export async function addCharges(tx: Database, charges: ReadonlyMap<number, Charge>): Promise<void> {
  if (charges.size === 0) return;
  const source = rowSource(
    tx,
    { id: "bigint", up: "bigint", down: "bigint", all_up: "bigint", all_down: "bigint" },
    [...charges].map(([id, charge]) => [
      ...[id, charge.usedUp, charge.usedDown, charge.lifetimeUp, charge.lifetimeDown],
    ]),
  );
  await tx.exec(
    `UPDATE subscriptions AS s SET used_up = ${clampedSum("s.used_up", "t.up")},
        used_down = ${clampedSum("s.used_down", "t.down")},
        lifetime_up = ${clampedSum("s.lifetime_up", "t.all_up")},
        lifetime_down = ${clampedSum("s.lifetime_down", "t.all_down")}
      FROM ${source.sql} WHERE s.id = t.id`,
    source.params,
  );
}

/** Keeps what is counted nowhere. */
export async function addOrphans(tx: Database, rows: readonly MinuteRow[], now: number): Promise<void> {
  if (rows.length === 0) return;
  const names = [...WHOSE.split(", "), "minute", "bytes_up", "bytes_down"];
  const columns = Object.fromEntries([...names, "reason"].map((name) => [name, name === "reason" ? "text" : "bigint"]));
  const cells = rows.map((row) => [...cellsOf(row, row.minute).slice(0, names.length), row.pair.orphan ?? "pair"]);
  const source = rowSource(tx, columns as Record<string, "bigint" | "text">, cells, 2);
  const sums = ["bytes_up", "bytes_down"].map((name) =>
    `${name} = ${clampedSum(`usage_orphans.${name}`, `excluded.${name}`)}`
  );
  await tx.exec(
    `INSERT INTO usage_orphans (${names.join(", ")}, reason, received_at)
      SELECT ${names.join(", ")}, reason, $1 FROM ${source.sql} WHERE true ORDER BY minute, ${WHOSE}
      ON CONFLICT (${WHOSE}, minute, reason) DO UPDATE SET ${sums.join(", ")}, received_at = excluded.received_at`,
    [now, ...source.params],
  );
}

/** What some rows come to. */
export function totalOf(rows: readonly MinuteRow[]): Traffic {
  const sum = noTraffic();
  for (const row of rows) addTraffic(sum, row);
  return sum;
}
