/**
 * The door of nodes on a database in memory: everything real but the clock and what the calls end in.
 *
 * @module
 */
import type { Hono } from "hono";
import { createApp } from "../../../src/core/app.ts";
import { createComposition } from "../../../src/core/composition/composition.ts";
import type { Composition } from "../../../src/core/composition/types.ts";
import type { NewEvent } from "../../../src/core/events/types.ts";
import { type CoreNodeAuth, createNodeAuth } from "../../../src/core/node_auth/node_auth.ts";
import type { RegistrationLimits } from "../../../src/core/node_auth/registration.ts";
import { type CoreNodeService, createNodeService } from "../../../src/core/node_service.ts";
import { createIntervals } from "../../../src/core/nodes/intervals.ts";
import type { CoreParts } from "../../../src/core/parts.ts";
import type { CoreEnv } from "../../../src/core/request.ts";
import { createCoreSecret } from "../../../src/core/secret.ts";
import { type CoreSettings, readCoreSettings } from "../../../src/core/settings.ts";
import type { Database } from "../../../src/core/store/database.ts";
import { openDatabase } from "../../../src/core/store/open.ts";
import { silentLogger } from "../../../src/log/silent.ts";
import { detectRuntime } from "../../../src/runtime/detect.ts";
import { FakeClock } from "../../fake_clock.ts";
import { test } from "../../harness.ts";

/** What one call of a report was given. */
export type Taken = readonly [call: string, nodeId: number, input: unknown];

/** A request without its address. */
export interface Call {
  readonly headers?: Readonly<Record<string, string>> | [string, string][];
  /** JSON, or text and bytes as they are. */
  readonly body?: unknown;
  /** Where it comes from. */
  readonly from?: string;
}

/** Options of {@linkcode nodeStage}. */
export interface StageOptions {
  readonly settings?: Partial<CoreSettings>;
  readonly limits?: Partial<RegistrationLimits>;
  readonly db?: Database;
  /** Refuses reports with this. */
  readonly refuse?: () => Error | null;
  /** Asked before a report of traffic is read. */
  readonly admit?: (nodeId: number, entries: number) => void;
}

/** The door of nodes, and what is around it. */
export interface NodeStage extends AsyncDisposable {
  readonly app: Hono<CoreEnv>;
  readonly auth: CoreNodeAuth;
  readonly service: CoreNodeService;
  readonly composition: Composition;
  readonly db: Database;
  readonly clock: FakeClock;
  readonly events: NewEvent[];
  readonly taken: Taken[];
  readonly parts: CoreParts;
  /** Work that was asked for, by name. */
  readonly jobs: ReadonlyMap<string, (signal: AbortSignal) => Promise<void>>;
  /** One request. */
  call(method: string, path: string, call?: Call): Promise<Response>;
  /** A node that registered, with its key. */
  node(code?: string): Promise<{ readonly authKey: string; readonly nodeId: number }>;
}

/** What a node says about itself. */
export const registration = (code: string): object => ({
  code,
  name: `Node ${code}`,
  ip: "203.0.113.7",
  port: 8080,
  region: "eu",
});

/** Opens one. */
export async function nodeStage(options: StageOptions = {}): Promise<NodeStage> {
  const clock = new FakeClock();
  const real = await detectRuntime();
  const db = options.db ?? await openDatabase({ kind: "sqlite", path: "" }, real, silentLogger);
  const events: NewEvent[] = [];
  const taken: Taken[] = [];
  const jobs = new Map<string, (signal: AbortSignal) => Promise<void>>();
  const parts = {
    runtime: { ...real, clock },
    logger: silentLogger,
    settings: { ...readCoreSettings(() => undefined), ...options.settings },
    db,
    secret: await createCoreSecret("a secret of a test, long enough for it", clock),
    events: {
      emit: (_: Database, happened: NewEvent | readonly NewEvent[]) =>
        Promise.resolve(void events.push(...[happened].flat())),
      subscribe: () => () => {},
      close: () => Promise.resolve(),
    },
    jobs: {
      every: (name: string, _: number, run: (signal: AbortSignal) => Promise<void>) => void jobs.set(name, run),
      close: () => Promise.resolve(),
    },
    metrics: { count: () => {}, observe: () => {}, gauge: () => {}, text: () => "" },
  } as unknown as CoreParts;
  const auth = createNodeAuth(parts);
  const composition = createComposition(parts);
  const take = (call: string) => (nodeId: number, input: unknown): Promise<void> => {
    const error = options.refuse?.() ?? null;
    if (error !== null) return Promise.reject(error);
    taken.push([call, nodeId, input]);
    return Promise.resolve();
  };
  const service = createNodeService(parts, {
    auth,
    composition,
    usage: { admit: options.admit ?? (() => {}), report: take("usage"), outbound: take("outbound") },
    presence: { report: take("presence") },
    stats: { report: take("stats") },
    limits: options.limits ?? { perSource: 1e6, inAll: 1e6 },
  });
  const app = createApp(parts, { service, auth, intervals: createIntervals(parts) });

  const call = async (method: string, path: string, { headers, body, from = "198.51.100.1" }: Call = {}) => {
    const all = new Headers(headers as Record<string, string>);
    if (body !== undefined && !all.has("content-type")) all.set("content-type", "application/json");
    const text = body === undefined || typeof body === "string" || body instanceof Uint8Array
      ? body as string | Uint8Array<ArrayBuffer> | undefined
      : JSON.stringify(body);
    const request = new Request(`http://core${path}`, {
      method,
      headers: all,
      ...(text === undefined ? {} : { body: text }),
    });
    const incoming = { socket: { remoteAddress: from }, complete: true, headers: {} };
    return await app.fetch(request, { incoming } as unknown as CoreEnv["Bindings"]);
  };
  return {
    app,
    auth,
    service,
    composition,
    db,
    clock,
    events,
    taken,
    parts,
    jobs,
    call,
    async node(code = "de-fra-1") {
      const answer = await call("POST", "/node/register", { body: registration(code) });
      return await answer.json();
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await service.close();
      await composition.close();
      if (options.db === undefined) await db.close();
    },
  };
}

/** One test that opens what it likes; everything is closed after it, the last one first. */
export function stageTest(name: string, run: (open: typeof nodeStage) => Promise<void>): void {
  test(name, async () => {
    const stages: NodeStage[] = [];
    try {
      await run(async (options) => {
        const stage = await nodeStage(options);
        stages.push(stage);
        return stage;
      });
    } finally {
      for (const stage of stages.reverse()) await stage[Symbol.asyncDispose]();
    }
  });
}
