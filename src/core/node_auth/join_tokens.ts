/**
 * Join tokens: who holds one may register a node.
 *
 * @module
 */
import type { CoreParts } from "../parts.ts";
import { type Database, num } from "../store/database.ts";
import { newJoinToken } from "./auth_key.ts";

/** How long a join token counts when nobody says otherwise. */
export const JOIN_TOKEN_MS: number = 60 * 60_000;

/** What a new join token allows. */
export interface NewJoinToken {
  readonly name?: string | null;
  /** The only region that it lets in; null: every one. */
  readonly region?: string | null;
  /** @default 1 */
  readonly maxUses?: number;
  /** UTC milliseconds; null: it does not end by itself. @default in an hour */
  readonly expiresAt?: number | null;
}

/** Join tokens of one Core. Everything with `tx` belongs to the caller's transaction. */
export interface JoinTokens {
  /** Makes one: the only time that its text is seen. */
  create(tx: Database, token?: NewJoinToken): Promise<{ readonly id: number; readonly token: string }>;
  /** Whether a node of this region may join with it now. */
  allows(tx: Database, token: string | null, region: string): Promise<boolean>;
  /** Uses it once; false when it does not allow it any more. */
  spend(tx: Database, token: string | null, region: string): Promise<boolean>;
  /** Whether there is any, spent and ended ones included; not those that were revoked. */
  anyMade(tx: Database): Promise<boolean>;
  /** One for the first node, where a token is needed and there is none: null otherwise. */
  first(db: Database): Promise<string | null>;
}

type TokenParts = Pick<CoreParts, "runtime" | "secret" | "settings">;

const USABLE = "revoked_at IS NULL AND uses < max_uses AND (expires_at IS NULL OR expires_at > $1)";

/** Join tokens of one Core. */
export function createJoinTokens({ runtime: { clock, random }, secret, settings }: TokenParts): JoinTokens {
  const now = (): number => Math.floor(clock.wall());
  /** The one of the settings lets everybody in, as often as they like. */
  const isConfigured = (hash: Uint8Array): boolean =>
    settings.joinToken !== null && secret.equal(hash, secret.hash(settings.joinToken));

  const create: JoinTokens["create"] = async (
    tx,
    { name = null, region = null, maxUses = 1, expiresAt = now() + JOIN_TOKEN_MS } = {},
  ) => {
    const token = newJoinToken(random);
    const [row] = await tx.query<{ id: bigint }>(
      `INSERT INTO join_tokens (hash, name, region, max_uses, expires_at, created_at)
       VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`,
      [secret.hash(token), name, region, maxUses, expiresAt, now()],
    );
    return { id: num(row?.id), token };
  };

  return {
    create,
    async allows(tx, token, region) {
      const hash = secret.hash(token ?? "");
      if (isConfigured(hash)) return token !== null;
      const rows = await tx.query(
        `SELECT 1 AS one FROM join_tokens WHERE hash = $2 AND (region IS NULL OR region = $3) AND ${USABLE}`,
        [now(), hash, region],
      );
      return token !== null && rows.length > 0;
    },
    async spend(tx, token, region) {
      if (token === null) return false;
      const hash = secret.hash(token);
      if (isConfigured(hash)) return true;
      return await tx.exec(
        `UPDATE join_tokens SET uses = uses + 1 WHERE hash = $2 AND (region IS NULL OR region = $3) AND ${USABLE}`,
        [now(), hash, region],
      ) === 1;
    },
    async anyMade(tx) {
      if (settings.joinToken !== null) return true;
      return (await tx.query("SELECT 1 AS one FROM join_tokens WHERE revoked_at IS NULL LIMIT 1")).length > 0;
    },
    async first(db) {
      if (settings.registration !== "token" || settings.joinToken !== null) return null;
      return await db.transaction(async (tx) => {
        const reasons = await tx.query(
          `SELECT 1 AS one FROM nodes UNION ALL SELECT 1 AS one FROM join_tokens WHERE ${USABLE} LIMIT 1`,
          [now()],
        );
        return reasons.length > 0 ? null : (await create(tx, { name: "first start" })).token;
      });
    },
  };
}
