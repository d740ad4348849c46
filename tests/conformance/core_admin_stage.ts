/**
 * The routes of administrators on a database; the rest of Core answers with what a test says.
 *
 * @module
 */
import type { AdminDeps } from "../../src/core/admin/deps.ts";
import { createAdminTokens } from "../../src/core/admin/tokens.ts";
import { createApp } from "../../src/core/app.ts";
import type { Scope } from "../../src/core/contract/types.ts";
import { createJoinTokens } from "../../src/core/node_auth/join_tokens.ts";
import { createNodeKeys } from "../../src/core/node_auth/node_keys.ts";
import type { CoreParts } from "../../src/core/parts.ts";
import { adminRoutes } from "../../src/core/routes/admin/routes.ts";
import { createCoreSecret } from "../../src/core/secret.ts";
import { readCoreSettings } from "../../src/core/settings.ts";
import type { Database } from "../../src/core/store/database.ts";
import { onEachStore } from "./core_stores.ts";
import { type ComposedStage, composedStage } from "./core_composition_stage.ts";

/** An answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // deno-lint-ignore no-explicit-any
  readonly body: any;
}

/** Calls a route. */
export type Call = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<Answer>;

/** The routes and what is behind them. */
export interface AdminStage extends ComposedStage {
  /** As an administrator who may do everything. */
  readonly call: Call;
  /** As another one; null: without a token. */
  as(token: string | null): Call;
  /** Makes a token. */
  token(scopes: readonly Scope[], expiresAt?: number): Promise<string>;
  /** Nodes that the door was told to forget. */
  readonly forgotten: number[];
  readonly parts: CoreParts;
}

/** Opens one. */
export async function adminStage(db: Database, deps: Partial<AdminDeps> = {}): Promise<AdminStage> {
  const stage = await composedStage(db);
  const settings = readCoreSettings(() => undefined);
  const secret = await createCoreSecret("p".repeat(40), stage.clock);
  const parts: CoreParts = { ...stage.parts, settings, secret };
  const forgotten: number[] = [];
  const routes = adminRoutes(parts, {
    composition: stage.composition,
    auth: { keys: createNodeKeys(parts), forget: (id) => Promise.resolve(void forgotten.push(id)) },
    joinTokens: createJoinTokens(parts),
    usage: {
      read: () => Promise.resolve({ rows: [], truncated: false }),
      recount: () => Promise.resolve({ up: 0n, down: 0n }),
      forget: () => {},
    },
    presence: {
      onlineUsers: () => Promise.resolve({ users: [], cursor: null }),
      user: () => Promise.resolve({ online: false, lastSeenAt: null, nodeProtocolIds: [] }),
    },
    stats: { runtimeStatus: () => Promise.resolve({}), history: () => Promise.resolve({}) },
    eraseUserIps: (tx, userId) => tx.exec("DELETE FROM user_ips WHERE user_id = $1", [userId]),
    streamEvents: (c) => c.body(null, 200),
    ...deps,
  });
  const nodeDoor = { service: {}, auth: {}, intervals: {} } as unknown as Parameters<typeof createApp>[1];
  const app = createApp(parts, { ...nodeDoor, routes });
  const as = (token: string | null): Call => async (method, path, body, headers = {}) => {
    const response = await app.request(path, {
      method,
      headers: {
        ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body),
    }, {});
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === "" ? null : JSON.parse(text) };
  };
  const tokens = createAdminTokens(parts);
  const token = async (scopes: readonly Scope[], expiresAt?: number): Promise<string> =>
    (await tokens.create(stage.db, { name: "test", scopes, expiresAt })).token;
  return { ...stage, parts, as, token, forgotten, call: as(await token(["admin"])) };
}

/** A test with routes of its own. */
export function adminTest(
  name: string,
  run: (stage: AdminStage) => Promise<void>,
  deps: Partial<AdminDeps> = {},
): void {
  onEachStore(name, async (db) => {
    const stage = await adminStage(db, deps);
    try {
      await run(stage);
    } finally {
      await stage.close();
    }
  });
}

/** A node as a body. */
export function nodeBody(code: string): object {
  return { code, name: code, ip: "203.0.113.7", port: 8080, region: "eu" };
}

/** Makes something and gives its id. */
export async function made(call: Call, path: string, body: unknown): Promise<number> {
  const answer = await call("POST", path, body);
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body.id;
}
