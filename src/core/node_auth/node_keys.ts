/**
 * Keys of nodes as the database holds them: hashes, never the keys.
 *
 * @module
 */
import type { CoreParts } from "../parts.ts";
import { type Database, num, numOrNull } from "../store/database.ts";
import { type AuthKey, formatAuthKey, newAuthKey } from "./auth_key.ts";

/** How long the key before goes on working after a change. */
export const ROTATION_MS: number = 10 * 60_000;

/** A key that was proven, and whose it is. */
export interface ProvenKey {
  readonly keyId: string;
  readonly nodeId: number;
  /** Code of the node. */
  readonly code: string;
  /** Whether somebody used it before. */
  readonly used: boolean;
  /** null: it does not end by itself. */
  readonly expiresAt: number | null;
  /** The status of its node. */
  readonly status: "pending" | "disabled" | "offline" | "online" | "error";
}

/** Makes, ends and proves keys. Everything with `tx` belongs to the caller's transaction. */
export interface NodeKeys {
  /** A new key for a node: the only time that it is seen. */
  issue(tx: Database, nodeId: number): Promise<string>;
  /** A new key; those before go on for {@linkcode ROTATION_MS}. */
  rotate(tx: Database, nodeId: number): Promise<string>;
  /** Ends all keys of a node now. */
  revokeAll(tx: Database, nodeId: number): Promise<void>;
  /** The key that `key` proves, or null: in the same time for unknown, wrong, revoked and expired ones. */
  prove(db: Database, key: AuthKey | null): Promise<ProvenKey | null>;
}

interface KeyRow {
  readonly key_id: string;
  readonly node_id: bigint;
  readonly code: string;
  readonly status: ProvenKey["status"];
  readonly secret_hash: Uint8Array;
  readonly first_used_at: bigint | null;
  readonly expires_at: bigint | null;
  readonly revoked_at: bigint | null;
}

/** What is looked for in place of a text that is no key: it is never in the database. */
const NO_KEY: AuthKey = { keyId: "------------", secret: "-".repeat(43) };

/** Keys of one Core. */
export function createNodeKeys(
  { runtime: { clock, random }, secret }: Pick<CoreParts, "runtime" | "secret">,
): NodeKeys {
  const nothing = new Uint8Array(32);

  const issue = async (tx: Database, nodeId: number): Promise<string> => {
    const key = newAuthKey(random);
    await tx.exec(
      "INSERT INTO node_keys (key_id, node_id, secret_hash, created_at) VALUES ($1, $2, $3, $4)",
      [key.keyId, nodeId, secret.hash(key.secret), now()],
    );
    return formatAuthKey(key);
  };
  const now = (): number => Math.floor(clock.wall());

  return {
    issue,
    async rotate(tx, nodeId) {
      await tx.exec(
        "UPDATE node_keys SET expires_at = $2 WHERE node_id = $1 AND (expires_at IS NULL OR expires_at > $2)",
        [nodeId, now() + ROTATION_MS],
      );
      return await issue(tx, nodeId);
    },
    async revokeAll(tx, nodeId) {
      await tx.exec("UPDATE node_keys SET revoked_at = $2 WHERE node_id = $1 AND revoked_at IS NULL", [nodeId, now()]);
    },
    async prove(db, key) {
      const { keyId, secret: text } = key ?? NO_KEY;
      const hash = secret.hash(text);
      const [row] = await db.query<KeyRow>(
        `SELECT k.key_id, k.node_id, n.code, n.status, k.secret_hash, k.first_used_at, k.expires_at, k.revoked_at
         FROM node_keys k JOIN nodes n ON n.id = k.node_id WHERE k.key_id = $1`,
        [keyId],
      );
      const equal = secret.equal(hash, row?.secret_hash ?? nothing);
      const expiresAt = numOrNull(row?.expires_at ?? null);
      const live = row !== undefined && row.revoked_at === null && (expiresAt === null || expiresAt > now());
      if (!equal || !live || key === null) return null;
      return {
        keyId,
        nodeId: num(row.node_id),
        code: row.code,
        used: row.first_used_at !== null,
        expiresAt,
        status: row.status,
      };
    },
  };
}
