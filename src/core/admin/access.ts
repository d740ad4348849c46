/**
 * Who may come in: tokens of administrators and join tokens of nodes.
 *
 * @module
 */
import type { JoinTokenCreate, TokenChange, TokenCreate } from "../contract/admin_types.ts";
import type { JoinTokens } from "../node_auth/join_tokens.ts";
import type { CoreParts } from "../parts.ts";
import { num, type Row } from "../store/database.ts";
import { type AdminCall, auditCall, notFound } from "./call.ts";
import { numberOf, type Page, pageOf, type PageRequest } from "./page.ts";
import type { View } from "./records.ts";
import type { AdminTokens, NewToken } from "./tokens.ts";
import { jsonOf, textOrNull, timeOf } from "./view.ts";

type Table = "admin_tokens" | "join_tokens";

/** The use cases of tokens. They are ended, not removed: what they did stays explained. */
export class Access {
  readonly #db: CoreParts["db"];
  readonly #tokens: Pick<AdminTokens, "create">;
  readonly #joinTokens: Pick<JoinTokens, "create">;

  constructor(
    { db }: Pick<CoreParts, "db">,
    tokens: Pick<AdminTokens, "create">,
    joinTokens: Pick<JoinTokens, "create">,
  ) {
    this.#db = db;
    this.#tokens = tokens;
    this.#joinTokens = joinTokens;
  }

  /** Tokens of administrators, without their texts. */
  async listTokens(page: PageRequest): Promise<Page<View>> {
    return await this.#list("admin_tokens", page, tokenView);
  }

  /** One token of an administrator, without its text. */
  async getToken(id: number): Promise<View> {
    return tokenView(await this.#row("admin_tokens", "token", id));
  }

  /** Makes one for another administrator: the only time that its text is seen. */
  async createToken(call: AdminCall, input: TokenCreate): Promise<View & NewToken> {
    const made = await this.#db.transaction(async (tx) => {
      const made = await this.#tokens.create(tx, input);
      await auditCall(tx, call, "token.create", `token:${made.id}`, { name: input.name, scopes: input.scopes });
      return made;
    });
    return { ...await this.getToken(made.id), ...made };
  }

  /** Changes one, in effect from the next call with it on. @throws {Failure} NOT_FOUND */
  async changeToken(call: AdminCall, id: number, { name, scopes, expiresAt }: TokenChange): Promise<View> {
    await this.#row("admin_tokens", "token", id);
    const columns = Object.entries({
      name,
      scopes: scopes === undefined ? undefined : JSON.stringify(scopes),
      expires_at: expiresAt,
    }).filter((entry): entry is [string, string | number | null] => entry[1] !== undefined);
    if (columns.length > 0) {
      await this.#db.transaction(async (tx) => {
        const set = columns.map(([column], at) => `${column} = $${at + 2}`).join(", ");
        await tx.exec(`UPDATE admin_tokens SET ${set} WHERE id = $1`, [id, ...columns.map(([, value]) => value)]);
        await auditCall(tx, call, "token.change", `token:${id}`, { name, scopes, expiresAt });
      });
    }
    return await this.getToken(id);
  }

  /** @throws {Failure} NOT_FOUND */
  async revokeToken(call: AdminCall, id: number): Promise<void> {
    await this.#revoke(call, "admin_tokens", "token", id);
  }

  /** Join tokens, without their texts. */
  async listJoinTokens(page: PageRequest): Promise<Page<View>> {
    return await this.#list("join_tokens", page, joinTokenView);
  }

  /** Makes one: the only time that its text is seen. */
  async createJoinToken(call: AdminCall, { name, maxUses, expiresAt, region }: JoinTokenCreate): Promise<View> {
    const made = await this.#db.transaction(async (tx) => {
      const made = await this.#joinTokens.create(tx, {
        name: name ?? null,
        region: region ?? null,
        ...(maxUses === undefined ? {} : { maxUses }),
        ...(expiresAt === undefined ? {} : { expiresAt }),
      });
      await auditCall(tx, call, "join-token.create", `join-token:${made.id}`, { name, maxUses, region });
      return made;
    });
    return { ...joinTokenView(await this.#row("join_tokens", "join token", made.id)), token: made.token };
  }

  /** @throws {Failure} NOT_FOUND */
  async revokeJoinToken(call: AdminCall, id: number): Promise<void> {
    await this.#revoke(call, "join_tokens", "join-token", id);
  }

  async #list(table: Table, page: PageRequest, view: (row: Row) => View): Promise<Page<View>> {
    const rows = await this.#db.query(`SELECT * FROM ${table} WHERE id > $1 ORDER BY id LIMIT $2`, [
      numberOf(page.cursor) ?? 0,
      page.limit + 1,
    ]);
    return pageOf(rows, page, (row) => row.id as bigint, view);
  }

  async #row(table: Table, noun: string, id: number): Promise<Row> {
    const [row] = await this.#db.query(`SELECT * FROM ${table} WHERE id = $1`, [id]);
    if (row === undefined) throw notFound(noun, id);
    return row;
  }

  async #revoke(call: AdminCall, table: Table, noun: string, id: number): Promise<void> {
    await this.#row(table, noun, id);
    await this.#db.transaction(async (tx) => {
      const ended = await tx.exec(`UPDATE ${table} SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL`, [
        id,
        call.at,
      ]);
      if (ended > 0) await auditCall(tx, call, `${noun}.revoke`, `${noun}:${id}`);
    });
  }
}

function tokenView(row: Row): View {
  return {
    id: num(row.id),
    name: String(row.name),
    scopes: jsonOf<string[]>(row.scopes, []),
    expiresAt: timeOf(row.expires_at),
    lastUsedAt: timeOf(row.last_used_at),
    revokedAt: timeOf(row.revoked_at),
    createdAt: timeOf(row.created_at),
  };
}

function joinTokenView(row: Row): View {
  return {
    id: num(row.id),
    name: textOrNull(row.name),
    region: textOrNull(row.region),
    maxUses: num(row.max_uses),
    uses: num(row.uses),
    expiresAt: timeOf(row.expires_at),
    revokedAt: timeOf(row.revoked_at),
    createdAt: timeOf(row.created_at),
  };
}
