/**
 * Records that administrators list, read, make, change and remove: the same rules for every kind.
 *
 * @module
 */
import { joinScopes, NOBODY } from "../composition/serving.ts";
import type { ChangeScope, Composition } from "../composition/types.ts";
import { Failure } from "../failure.ts";
import type { CoreParts } from "../parts.ts";
import { type Database, num, type Param, type Row } from "../store/database.ts";
import { type AdminCall, auditCall, notFound, requireMatch } from "./call.ts";
import { keyOf, numberOf, type Page, pageOf, type PageRequest } from "./page.ts";
import { revisionOf } from "./view.ts";

/** Members of an answer. */
export type View = Readonly<Record<string, unknown>>;

/** A record and its revision. */
export interface Found {
  readonly view: View;
  readonly etag: string;
}

/** Columns and what goes into them. */
export type Columns = Readonly<Record<string, Param | undefined>>;

/** What is special about one kind of records. */
export interface RecordKind<Create extends object, Change extends object> {
  /** In messages, audit rows and answers: `user`. */
  readonly noun: string;
  readonly table: string;
  readonly key: "id" | "uuid";
  /** Filters of the list and the columns that they compare. */
  readonly filters: Readonly<Record<string, string>>;
  /** More to select than the columns, from the table as `t`. */
  readonly more?: (dialect: Database["dialect"]) => string;
  readonly view: (row: Row) => View;
  /** Members of the view that change by themselves: they are no part of its revision. */
  readonly moving?: readonly string[];
  /** Members of bodies that no audit row may hold. */
  readonly secret?: readonly string[];
  /** Columns that nodes are sent something of; all of them where this is missing. */
  readonly sent?: readonly string[];
  /** What a new record holds; throws a {@linkcode Failure} where it does not fit to what is there. */
  readonly creating: (tx: Database, input: Create, call: AdminCall) => Promise<Columns> | Columns;
  /** What is different after a change. */
  readonly changing: (tx: Database, input: Change, row: Row, call: AdminCall) => Promise<Columns> | Columns;
  /** What belongs to a record and lies elsewhere; true when it changed something. */
  readonly saved?: (tx: Database, key: Param, input: Create | Change) => Promise<boolean>;
  readonly removing?: (tx: Database, row: Row, call: AdminCall) => Promise<void>;
  /** The nodes that are sent something of a record. */
  readonly nodes?: (tx: Database, row: Row) => Promise<ChangeScope> | ChangeScope;
  /** Others that remember something of it. */
  readonly changed?: (row: Row) => void | Promise<void>;
}

/** The use cases of one kind of records. */
export class Records<Create extends object, Change extends object> {
  readonly #db: Database;
  readonly #composition: Pick<Composition, "mark" | "changed">;
  readonly #kind: RecordKind<Create, Change>;

  constructor(
    { db }: Pick<CoreParts, "db">,
    composition: Pick<Composition, "mark" | "changed">,
    kind: RecordKind<Create, Change>,
  ) {
    this.#db = db;
    this.#composition = composition;
    this.#kind = kind;
  }

  /** Names of the filters of the list. */
  get filters(): readonly string[] {
    return Object.keys(this.#kind.filters);
  }

  /** One page, in the order of the keys. */
  async list(page: PageRequest, filters: Readonly<Record<string, string | number>> = {}): Promise<Page<View>> {
    const { key, view } = this.#kind;
    const params: Param[] = [page.limit + 1];
    const where: string[] = [];
    const after = key === "id" ? numberOf(page.cursor) : keyOf(page.cursor);
    if (after !== null) where.push(`t.${key} > $${params.push(after)}`);
    for (const [name, value] of Object.entries(filters)) {
      where.push(`t.${this.#kind.filters[name]} = $${params.push(value)}`);
    }
    const rows = await this.#db.query(
      `${this.#select(this.#db)} ${
        where.length === 0 ? "" : `WHERE ${where.join(" AND ")}`
      } ORDER BY t.${key} LIMIT $1`,
      params,
    );
    return pageOf(rows, page, (row) => row[key] as string | bigint, view);
  }

  /** @throws {Failure} NOT_FOUND */
  async get(key: Param): Promise<Found> {
    return await this.#found(await this.#row(this.#db, key));
  }

  /** @throws {Failure} CONFLICT, VALIDATION_FAILED, NOT_FOUND */
  async create(call: AdminCall, input: Create): Promise<Found> {
    const { key, table } = this.#kind;
    return await this.#mutate(async (tx) => {
      const columns = present({
        ...await this.#kind.creating(tx, input, call),
        created_at: call.at,
        updated_at: call.at,
      });
      const names = columns.map(([name]) => name);
      const [made] = await tx.query(
        `INSERT INTO ${table} (${names.join(", ")}) VALUES (${names.map((_, at) => `$${at + 1}`).join(", ")})
          RETURNING ${key}`,
        columns.map(([, value]) => value),
      );
      const id = keyParam(made?.[key]);
      await this.#kind.saved?.(tx, id, input);
      const row = await this.#row(tx, id);
      await this.#audit(tx, call, "create", id, input);
      return { row, scope: await this.#nodes(tx, row) };
    });
  }

  /** @throws {Failure} NOT_FOUND, PRECONDITION_FAILED, CONFLICT, VALIDATION_FAILED */
  async change(call: AdminCall, key: Param, input: Change): Promise<Found> {
    return await this.#mutate(async (tx) => {
      const before = await this.#row(tx, key, true);
      requireMatch(call, (await this.#found(before)).etag);
      const changes = present(await this.#kind.changing(tx, input, before, call))
        .filter(([name, value]) => !sameValue(before[name], value));
      const serving = await this.#nodes(tx, before);
      if (changes.length > 0) {
        const set = [...changes, ["updated_at", call.at] as const];
        await tx.exec(
          `UPDATE ${this.#kind.table} SET ${set.map(([name], at) => `${name} = $${at + 2}`).join(", ")}
            WHERE ${this.#kind.key} = $1`,
          [key, ...set.map(([, value]) => value)],
        );
      }
      const elsewhere = await this.#kind.saved?.(tx, key, input) ?? false;
      if (changes.length === 0 && !elsewhere) return { row: before, scope: NOBODY };
      const row = await this.#row(tx, key);
      await this.#audit(tx, call, "change", key, input);
      const { sent } = this.#kind;
      const matters = elsewhere || sent === undefined || changes.some(([name]) => sent.includes(name));
      return { row, scope: matters ? joinScopes(serving, await this.#nodes(tx, row)) : NOBODY };
    });
  }

  /** @throws {Failure} NOT_FOUND, PRECONDITION_FAILED */
  async remove(call: AdminCall, key: Param): Promise<void> {
    await this.#mutate(async (tx) => {
      const row = await this.#row(tx, key, true);
      requireMatch(call, (await this.#found(row)).etag);
      const scope = await this.#nodes(tx, row);
      await this.#kind.removing?.(tx, row, call);
      await tx.exec(`DELETE FROM ${this.#kind.table} WHERE ${this.#kind.key} = $1`, [key]);
      await this.#audit(tx, call, "remove", key, null);
      return { row, scope };
    });
  }

  /** Runs another change of one record under the same rules. */
  async act(
    call: AdminCall,
    key: Param,
    action: string,
    run: (tx: Database, row: Row) => Promise<object | void>,
  ): Promise<Found> {
    return await this.#mutate(async (tx) => {
      const before = await this.#row(tx, key, true);
      requireMatch(call, (await this.#found(before)).etag);
      const details = await run(tx, before);
      await this.#audit(tx, call, action, key, details ?? null);
      return { row: await this.#row(tx, key), scope: NOBODY };
    });
  }

  async #mutate(run: (tx: Database) => Promise<{ row: Row; scope: ChangeScope }>): Promise<Found> {
    const { row, scope } = await this.#db.transaction(async (tx) => {
      const done = await run(tx);
      await this.#composition.mark(tx, done.scope);
      return done;
    });
    if (scope === "all" || scope.nodeIds.length > 0) this.#composition.changed(scope);
    await this.#kind.changed?.(row);
    return await this.#found(row);
  }

  async #nodes(tx: Database, row: Row): Promise<ChangeScope> {
    return await this.#kind.nodes?.(tx, row) ?? NOBODY;
  }

  async #audit(tx: Database, call: AdminCall, action: string, key: Param, input: unknown): Promise<void> {
    const { noun, secret = [] } = this.#kind;
    const details = input === null ? null : JSON.parse(JSON.stringify(input, (name, value) => {
      return secret.includes(name) ? "[redacted]" : value;
    }));
    await auditCall(tx, call, `${noun}.${action}`, `${noun}:${key}`, details);
  }

  #select(db: Database): string {
    const more = this.#kind.more?.(db.dialect);
    return `SELECT t.*${more === undefined ? "" : `, ${more}`} FROM ${this.#kind.table} t`;
  }

  async #row(db: Database, key: Param, lock = false): Promise<Row> {
    const suffix = lock && db.dialect === "postgres" ? " FOR UPDATE OF t" : "";
    const [row] = await db.query(`${this.#select(db)} WHERE t.${this.#kind.key} = $1${suffix}`, [key]);
    if (row === undefined) throw notFound(this.#kind.noun, String(key));
    return row;
  }

  async #found(row: Row): Promise<Found> {
    const { view, moving = [] } = this.#kind;
    const shown = view(row);
    const fixed = Object.entries(shown).filter(([name]) => name !== "updatedAt" && !moving.includes(name));
    return { view: shown, etag: await revisionOf(fixed) };
  }
}

/** Refuses a value that its shape allows. */
export function invalid(path: string, message: string): Failure {
  return new Failure("VALIDATION_FAILED", `${path}: ${message}`, { issues: [{ path, message }] });
}

function present(columns: Columns): [string, Param][] {
  return Object.entries(columns).filter((entry): entry is [string, Param] => entry[1] !== undefined);
}

function sameValue(before: Row[string] | undefined, value: Param): boolean {
  if (before === null || value === null) return before === value;
  return String(before) === String(value);
}

function keyParam(key: unknown): Param {
  return typeof key === "bigint" ? num(key) : String(key);
}
