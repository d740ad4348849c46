/**
 * How a node gets its key, and how it never gets the key of another one.
 *
 * @module
 */
import { sourceKey } from "../../address/ip.ts";
import { Attempts } from "../../http/attempts.ts";
import { audit } from "../audit.ts";
import type { Registration } from "../contract/types.ts";
import { Failure } from "../failure.ts";
import type { Registered, RegistrationProof } from "../node_calls.ts";
import type { CoreParts } from "../parts.ts";
import { type Database, num, numOrNull } from "../store/database.ts";
import { parseAuthKey } from "./auth_key.ts";
import type { JoinTokens } from "./join_tokens.ts";
import type { CoreNodeAuth } from "./node_auth.ts";

/** How often nodes may register. */
export interface RegistrationLimits {
  /** From one address (IPv6: one /64) in a minute. */
  readonly perSource: number;
  /** In all, in a minute. */
  readonly inAll: number;
}

/** Limits of every Core. */
export const REGISTRATION_LIMITS: RegistrationLimits = { perSource: 5, inAll: 60 };

const MINUTE_MS = 60_000;
/** How long the same request may return after its answer was lost. */
const RETURN_MS: number = 10 * 60_000;
/** Where answers to requests are remembered. */
const SCOPE = "register";

/** What registrations need of Core. */
export type RegistrationParts = Pick<CoreParts, "runtime" | "db" | "secret" | "settings" | "events" | "logger">;

/** What registrations need besides. */
export interface RegistrationDeps {
  readonly auth: Pick<CoreNodeAuth, "keys" | "forget">;
  readonly tokens: JoinTokens;
  readonly limits?: Partial<RegistrationLimits> | undefined;
}

interface KnownNode {
  readonly id: number;
  readonly status: string;
  readonly reenrolUntil: number | null;
}

/** What became of a request, inside its transaction. */
interface Outcome {
  readonly nodeId: number;
  readonly authKey: string;
  readonly how: "new" | "rotated" | "returned" | "re-enrolled";
}

/** Registers nodes. */
export class Registrations {
  readonly #parts: RegistrationParts;
  readonly #deps: RegistrationDeps;
  readonly #sources: Attempts;
  readonly #all: Attempts;

  constructor(parts: RegistrationParts, deps: RegistrationDeps) {
    const { perSource, inAll } = { ...REGISTRATION_LIMITS, ...deps.limits };
    const now = (): number => parts.runtime.clock.now();
    this.#parts = parts;
    this.#deps = deps;
    this.#sources = new Attempts({ attempts: perSource, windowMs: MINUTE_MS }, now);
    this.#all = new Attempts({ attempts: inAll, windowMs: MINUTE_MS }, now);
  }

  /**
   * A key for the node that this describes.
   *
   * @throws {Failure} RATE_LIMITED, JOIN_DENIED, NODE_EXISTS, NODE_DISABLED
   */
  async register(proof: RegistrationProof, input: Registration): Promise<Registered> {
    const waitMs = this.#sources.count(sourceKey(proof.ip)) || this.#all.count("");
    if (waitMs > 0) throw new Failure("RATE_LIMITED", "Too many registrations", { retryAfterMs: waitMs });
    const { db, secret, logger } = this.#parts;
    const outcome = await db.transaction((tx) => this.#inside(tx, proof, input));
    if (outcome.how !== "new") await this.#deps.auth.forget(outcome.nodeId);
    const { nodeId, authKey, how } = outcome;
    logger.info("Node registered", { node: nodeId, code: input.code, how, from: proof.ip });
    return { nodeId, authKey, corePublicKey: secret.publicKey };
  }

  async #inside(tx: Database, proof: RegistrationProof, input: Registration): Promise<Outcome> {
    const known = await nodeOf(tx, input.code);
    const outcome = known === null ? null : await this.#again(tx, known, proof, input);
    if (outcome !== null) return outcome;
    // Who may not join learns nothing about the codes that are taken.
    if (!await this.#mayJoin(tx, proof, input)) {
      throw new Failure("JOIN_DENIED", "This node may not join: it needs a join token that is valid");
    }
    if (known !== null) throw exists(input.code);
    return await this.#join(tx, proof, input);
  }

  /** A key for a node that is known already; null when the caller did not prove that it is this one. */
  async #again(
    tx: Database,
    known: KnownNode,
    proof: RegistrationProof,
    input: Registration,
  ): Promise<Outcome | null> {
    const { keys } = this.#deps.auth;
    if (await this.#holdsKey(tx, known, proof)) {
      refuseDisabled(known);
      return await this.#changed(tx, known, proof, input, "rotated", await keys.rotate(tx, known.id));
    }
    if (known.reenrolUntil !== null && known.reenrolUntil > this.#now()) {
      refuseDisabled(known);
      // Once is enough: the window closes behind it.
      const closed = await tx.exec(
        "UPDATE nodes SET reenrol_until = NULL WHERE id = $1 AND reenrol_until IS NOT NULL",
        [
          known.id,
        ],
      );
      if (closed === 0) return null;
      await keys.revokeAll(tx, known.id);
      return await this.#changed(tx, known, proof, input, "re-enrolled", await keys.issue(tx, known.id));
    }
    if (!await this.#returns(tx, known, proof, input)) return null;
    refuseDisabled(known);
    await keys.revokeAll(tx, known.id);
    return await this.#changed(tx, known, proof, input, "returned", await keys.issue(tx, known.id));
  }

  async #holdsKey(tx: Database, known: KnownNode, { keys: [text, ...others] }: RegistrationProof): Promise<boolean> {
    if (text === undefined || others.some((other) => other !== text)) return false;
    return (await this.#deps.auth.keys.prove(tx, parseAuthKey(text)))?.nodeId === known.id;
  }

  /** Whether this is the request that made the node, whose answer was lost: nobody ever used a key of it. */
  async #returns(
    tx: Database,
    known: KnownNode,
    { idempotencyKey }: RegistrationProof,
    { code }: Registration,
  ): Promise<boolean> {
    if (idempotencyKey === null) return false;
    const rows = await tx.query(
      `SELECT 1 AS one FROM idempotency WHERE scope = $1 AND key = $2 AND node_id = $3 AND expires_at > $4
       AND NOT EXISTS (SELECT 1 FROM node_keys WHERE node_id = $3 AND first_used_at IS NOT NULL)`,
      [SCOPE, this.#hashed(code, idempotencyKey), known.id, this.#now()],
    );
    if (rows.length === 0) return false;
    // Held until the end of the transaction: a first use at this moment comes before or after, not between.
    const held = await tx.exec(
      "UPDATE node_keys SET revoked_at = $2 WHERE node_id = $1 AND revoked_at IS NULL AND first_used_at IS NULL",
      [known.id, this.#now()],
    );
    return held > 0;
  }

  async #changed(
    tx: Database,
    { id }: KnownNode,
    { ip }: RegistrationProof,
    input: Registration,
    how: Outcome["how"],
    authKey: string,
  ): Promise<Outcome> {
    const { name, port, region, domain } = input;
    await tx.exec(
      `UPDATE nodes SET name = $2, ip = $3, port = $4, region = $5, domain = COALESCE($6, domain), updated_at = $7
       WHERE id = $1`,
      [id, name, input.ip, port, region, domain ?? null, this.#now()],
    );
    const [actor, target] = [`node:${id}`, `node:${id}`];
    await audit(tx, { at: this.#now(), actor, action: "node.key_issued", target, ip, details: { how } });
    return { nodeId: id, authKey, how };
  }

  async #mayJoin(tx: Database, { joinToken }: RegistrationProof, { region }: Registration): Promise<boolean> {
    const { registration } = this.#parts.settings;
    switch (registration) {
      case "closed":
        return false;
      case "approval":
        return true;
      case "token":
        return await this.#deps.tokens.allows(tx, joinToken, region);
      case "open":
        return !await this.#needsToken(tx) || await this.#deps.tokens.allows(tx, joinToken, region);
    }
  }

  /** Whoever makes join tokens means them: an open door closes then. */
  async #needsToken(tx: Database): Promise<boolean> {
    const { registration } = this.#parts.settings;
    return registration === "token" || registration === "open" && await this.#deps.tokens.anyMade(tx);
  }

  async #join(tx: Database, proof: RegistrationProof, input: Registration): Promise<Outcome> {
    const { settings: { registration }, events } = this.#parts;
    const { code, name, ip, port, region, domain } = input;
    const now = this.#now();
    const [row] = await tx.query<{ id: bigint }>(
      `INSERT INTO nodes (code, name, ip, port, region, domain, status, created_at, updated_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT (code) DO NOTHING RETURNING id`,
      [code, name, ip, port, region, domain ?? null, registration === "approval" ? "pending" : "offline", now],
    );
    if (row === undefined) throw exists(code);
    const nodeId = num(row.id);
    if (await this.#needsToken(tx) && !await this.#deps.tokens.spend(tx, proof.joinToken, region)) {
      throw new Failure("JOIN_DENIED", "This node may not join: its join token was used by another one");
    }
    const authKey = await this.#deps.auth.keys.issue(tx, nodeId);
    if (proof.idempotencyKey !== null) {
      await tx.exec(
        `INSERT INTO idempotency (scope, key, node_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (scope, key) DO UPDATE
         SET node_id = excluded.node_id, created_at = excluded.created_at, expires_at = excluded.expires_at`,
        [SCOPE, this.#hashed(code, proof.idempotencyKey), nodeId, now, now + RETURN_MS],
      );
    }
    await audit(tx, {
      at: now,
      actor: `node:${nodeId}`,
      action: "node.registered",
      target: `node:${nodeId}`,
      ip: proof.ip,
    });
    await events.emit(tx, { type: "node.registered", nodeId, data: { code, name, ip, port, region } });
    return { nodeId, authKey, how: "new" };
  }

  /** Whoever reads the database must not be able to return with it. */
  #hashed(code: string, idempotencyKey: string): string {
    const hash = this.#parts.secret.hash(`register ${code} ${idempotencyKey.toLowerCase()}`);
    return btoa(String.fromCharCode(...hash));
  }

  #now(): number {
    return Math.floor(this.#parts.runtime.clock.wall());
  }
}

async function nodeOf(tx: Database, code: string): Promise<KnownNode | null> {
  const lock = tx.dialect === "postgres" ? " FOR UPDATE" : "";
  const [row] = await tx.query<{ id: bigint; status: string; reenrol_until: bigint | null }>(
    `SELECT id, status, reenrol_until FROM nodes WHERE code = $1${lock}`,
    [code],
  );
  return row === undefined ? null : { id: num(row.id), status: row.status, reenrolUntil: numOrNull(row.reenrol_until) };
}

function exists(code: string): Failure {
  return new Failure("NODE_EXISTS", `The code "${code}" is taken`);
}

function refuseDisabled({ status }: KnownNode): void {
  if (status === "disabled") throw new Failure("NODE_DISABLED", "The node is disabled");
}
