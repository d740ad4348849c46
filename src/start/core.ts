/**
 * The control plane of a fleet as a library.
 *
 * @module
 */
import { runCore, type RunningCore } from "../core/start.ts";
import {
  type CoreSettings,
  type DatabaseSetting,
  type IpInfoProviderName,
  readCoreSettings,
  type RegistrationMode,
  type TlsSetting,
} from "../core/settings.ts";
import { silentLogger } from "../log/silent.ts";
import type { Logger } from "../log/types.ts";
import { detectRuntime } from "../runtime/detect.ts";
import type { Runtime } from "../runtime/types.ts";

export type { CoreSettings, DatabaseSetting, IpInfoProviderName, RegistrationMode, RunningCore, TlsSetting };
export { readCoreSettings };

/** A Core that runs. */
export interface CoreHandle extends RunningCore {}

/** Options of {@linkcode startCore}. */
export interface StartCoreOptions {
  /** What the environment would say. @default the environment: `PORT`, `DATABASE_URL` and so on */
  readonly settings?: CoreSettings;
  /** Closes Core when it aborts. */
  readonly signal?: AbortSignal;
  /** Receives the log. @default nothing is written */
  readonly logger?: Logger;
  /** Sockets, files and time. @default the runtime that this program runs on */
  readonly runtime?: Runtime;
}

/**
 * Starts Core. Resolves when both HTTP and gRPC listen.
 *
 * @example
 * ```ts
 * import { readCoreSettings, startCore } from "nodepass/core";
 *
 * const env: Record<string, string> = { PORT: "0", GRPC_PORT: "0", DATABASE_URL: "sqlite::memory:" };
 * await using core = await startCore({ settings: readCoreSettings((name) => env[name]) });
 * const answer = await fetch(`${core.httpUrl}/healthz`);
 * console.log(answer.status, await answer.json()); // 200 { status: "ok" }
 * ```
 *
 * @param options settings, signal, logger
 * @throws {NodePassError} `usage` for settings that are not acceptable; `locked` when another Core has the database;
 * otherwise what kept it from starting
 */
export async function startCore(options: StartCoreOptions = {}): Promise<CoreHandle> {
  const { logger = silentLogger, signal } = options;
  const runtime = options.runtime ?? await detectRuntime();
  const settings = options.settings ?? readCoreSettings((name) => runtime.process.env(name));
  signal?.throwIfAborted();
  const core = await runCore({ runtime, logger, settings });
  const stop = (): void => void core.close();
  signal?.addEventListener("abort", stop, { once: true });
  void core.finished.then(() => signal?.removeEventListener("abort", stop));
  if (signal?.aborted) stop();
  return core;
}
