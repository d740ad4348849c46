/**
 * Tokens of administrators: what lets them in, and how far.
 *
 * @module
 */
import { sourceKey } from "../../address/ip.ts";
import { Attempts } from "../../http/attempts.ts";
import { messageOf } from "../../errors.ts";
import type { TokenCreate } from "../contract/admin_types.ts";
import { type Scope, SCOPES } from "../contract/types.ts";
import { Failure } from "../failure.ts";
import type { CoreParts } from "../parts.ts";
import { base64Url } from "../secret.ts";
import { type Database, num, numOrNull, type Row } from "../store/database.ts";

/** Failures of one source that are answered as such within a minute; afterwards it waits for one. */
export const FAILURES_PER_MINUTE = 20;
const MINUTE_MS = 60_000;
/** When a token was used is known this exactly. */
const USED_MS = 60_000;
const TOKEN = /^na1\.([A-Za-z0-9_-]{12})\.([A-Za-z0-9_-]{43})$/;
/** What is looked for in place of a text that is no token: it is never in the database. */
const NO_TOKEN: readonly [string, string] = ["------------", "-".repeat(43)];

/** An administrator, as far as a token tells. */
export interface Actor {
  readonly tokenId: number;
  readonly name: string;
  readonly scopes: readonly Scope[];
}

/** A token that was just made: the only time that its text is seen. */
export interface NewToken {
  readonly id: number;
  readonly token: string;
}

/** What tokens need of Core. */
export type TokenParts = Pick<CoreParts, "runtime" | "db" | "secret" | "logger">;

/** Tokens of one Core. */
export interface AdminTokens {
  /** Makes one, in the transaction of the caller. */
  create(tx: Database, token: TokenCreate): Promise<NewToken>;
  /** Makes one with every scope where there is none at all yet; its text, or null. */
  ensureFirst(): Promise<string | null>;
  /**
   * Whose token this is. A valid one is never refused because of what else came from its address.
   *
   * @param authorization the header
   * @throws {Failure} AUTH_REQUIRED, AUTH_INVALID, RATE_LIMITED
   */
  authenticate(authorization: string | undefined, ip: string): Promise<Actor>;
}

/** Whether somebody may do what needs this scope: each scope includes those before it. */
export function reaches(actor: Actor, scope: Scope): boolean {
  return actor.scopes.some((has) => SCOPES.indexOf(has) >= SCOPES.indexOf(scope));
}

/** The tokens of a Core. */
export function createAdminTokens(parts: TokenParts): AdminTokens {
  return new Tokens(parts);
}

class Tokens implements AdminTokens {
  readonly #parts: TokenParts;
  readonly #failures: Attempts;
  /** When the use of a token was last written, by id. */
  readonly #noted = new Map<number, number>();

  constructor(parts: TokenParts) {
    this.#parts = parts;
    this.#failures = new Attempts(
      { attempts: FAILURES_PER_MINUTE, windowMs: MINUTE_MS, pauseMs: MINUTE_MS },
      () => parts.runtime.clock.now(),
    );
  }

  async create(tx: Database, { name, scopes, expiresAt }: TokenCreate): Promise<NewToken> {
    const { runtime: { random, clock }, secret } = this.#parts;
    const [tokenId, text] = [base64Url(random.bytes(9)), base64Url(random.bytes(32))];
    const [row] = await tx.query(
      `INSERT INTO admin_tokens (token_id, name, hash, scopes, expires_at, created_at)
        VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`,
      [tokenId, name, secret.hash(text), JSON.stringify(scopes), expiresAt ?? null, Math.floor(clock.wall())],
    );
    return { id: num(row?.id), token: `na1.${tokenId}.${text}` };
  }

  async ensureFirst(): Promise<string | null> {
    return await this.#parts.db.transaction(async (tx) => {
      // Replicas that start together take turns.
      if (tx.dialect === "postgres") await tx.exec("LOCK TABLE admin_tokens IN EXCLUSIVE MODE");
      const some = await tx.query("SELECT id FROM admin_tokens LIMIT 1");
      if (some.length > 0) return null;
      const { token } = await this.create(tx, { name: "first", scopes: ["admin"] });
      return token;
    });
  }

  async authenticate(authorization: string | undefined, ip: string): Promise<Actor> {
    const text = /^bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
    if (text === undefined) throw this.#refusal(ip, "AUTH_REQUIRED", "A bearer token is missing");
    const row = await this.#prove(text);
    if (row === null) throw this.#refusal(ip, "AUTH_INVALID", "The token is not valid");
    const actor = { tokenId: num(row.id), name: String(row.name), scopes: JSON.parse(String(row.scopes)) as Scope[] };
    this.#note(actor.tokenId);
    return actor;
  }

  /** In the same time for unknown, wrong, revoked and expired ones. */
  async #prove(text: string): Promise<Row | null> {
    const { runtime: { clock }, db, secret } = this.#parts;
    const [, tokenId, proof] = TOKEN.exec(text) ?? [undefined, ...NO_TOKEN];
    const hash = secret.hash(proof ?? "");
    const [row] = await db.query(
      "SELECT id, name, hash, scopes, expires_at, revoked_at FROM admin_tokens WHERE token_id = $1",
      [tokenId ?? ""],
    );
    const equal = secret.equal(hash, row === undefined ? new Uint8Array(hash.length) : row.hash as Uint8Array);
    const expiresAt = numOrNull(row?.expires_at);
    const live = row !== undefined && row.revoked_at === null && (expiresAt === null || expiresAt > clock.wall());
    return equal && live ? row : null;
  }

  #refusal(ip: string, failure: "AUTH_REQUIRED" | "AUTH_INVALID", message: string): Failure {
    const waitMs = this.#failures.count(sourceKey(ip));
    if (waitMs === 0) return new Failure(failure, message);
    return new Failure("RATE_LIMITED", "Too many calls without a valid token", { retryAfterMs: waitMs });
  }

  #note(tokenId: number): void {
    const { runtime: { clock }, db, logger } = this.#parts;
    const last = this.#noted.get(tokenId);
    if (last !== undefined && clock.now() - last < USED_MS) return;
    this.#noted.set(tokenId, clock.now());
    db.exec("UPDATE admin_tokens SET last_used_at = $2 WHERE id = $1", [tokenId, Math.floor(clock.wall())])
      .catch((error) => logger.warn("The use of a token was not written", { reason: messageOf(error) }));
  }
}
