/**
 * Starts an instance that several threads serve together.
 *
 * @module
 */
import type { ClientConfig, ServerConfig, TunnelConfig } from "../config/types.ts";
import { messageOf, NodePassError } from "../errors.ts";
import { detectRuntime } from "../runtime/detect.ts";
import { isElsewhere } from "../tunnel/elsewhere.ts";
import { Claims, entryClaim, tunnelClaim } from "../tunnel/workers/claims.ts";
import { WorkerGroup, type WorkerGroupOptions } from "../tunnel/workers/worker_group.ts";
import { createServerIdentity } from "../wire/secure/identity.ts";
import { deriveRoot } from "../wire/secure/root_secret.ts";
import { workerEntry } from "./worker.ts";

/** Options of the functions that start workers. */
export interface StartWorkersOptions
  extends Pick<WorkerGroupOptions, "config" | "size" | "runtime" | "logger" | "onReport"> {
  /** Gives a start up that has not come to its end. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Starts the threads of an instance.
 *
 * @throws {NodePassError} an address cannot be bound, or the runtime is not the one that threads would have
 */
export async function startWorkers(options: StartWorkersOptions): Promise<WorkerGroup> {
  if (options.runtime !== await detectRuntime()) {
    throw new NodePassError(
      "not_supported",
      "Cannot use NP_WORKERS with a runtime of the caller's: threads have their own",
    );
  }
  return await startWorkerGroup(options);
}

/** What the threads share is decided here, once: mode, ports, what the key gives. */
export async function startWorkerGroup(options: StartWorkersOptions): Promise<WorkerGroup> {
  const { runtime } = options;
  const claims = new Claims(runtime);
  const config = options.config.role === "server"
    ? await serverMode(options.config, claims, options)
    : await clientMode(options.config, claims, options);
  const secrets = await secretsOf(config, runtime);
  const group = new WorkerGroup({ ...options, config, claims, entry: workerEntry, secrets });
  const giveUp = (): void => void group.close({ graceMs: 0 });
  options.signal?.addEventListener("abort", giveUp);
  try {
    options.signal?.throwIfAborted();
    await group.start();
    return group;
  } catch (error) {
    await group.close({ graceMs: 0 });
    throw error;
  } finally {
    options.signal?.removeEventListener("abort", giveUp);
  }
}

type Log = Pick<WorkerGroupOptions, "logger">;

async function serverMode(config: ServerConfig, claims: Claims, { logger }: Log): Promise<ServerConfig> {
  let mode = config.mode;
  if (mode !== "forward") {
    try {
      await claims.claim(entryClaim(config, config.targets));
      if (mode === "auto") logger.info("Mode 1 (reverse): the target address can be bound here");
      mode = "reverse";
    } catch (error) {
      if (mode === "reverse" || !isElsewhere(error)) throw error;
      logger.info(`Mode 2 (forward): the target address cannot be bound here (${messageOf(error)})`);
      mode = "forward";
    }
  }
  await claims.claim(tunnelClaim(config));
  return { ...config, mode };
}

async function clientMode(config: ClientConfig, claims: Claims, { logger }: Log): Promise<ClientConfig> {
  if (config.mode === "dual") return config;
  try {
    await claims.claim(entryClaim(config, [config.tunnel]));
    if (config.mode === "auto") logger.info("Mode 1 (single-end): the tunnel address can be bound here");
    return { ...config, mode: "single" };
  } catch (error) {
    if (config.mode === "single" || !isElsewhere(error)) throw error;
    logger.info(`Mode 2 (dual-end): the tunnel address cannot be bound here (${messageOf(error)})`);
    return { ...config, mode: "dual" };
  }
}

async function secretsOf(
  config: TunnelConfig,
  { random }: WorkerGroupOptions["runtime"],
): Promise<WorkerGroupOptions["secrets"]> {
  if (config.role === "client" && config.mode === "single") return { root: null, identity: null };
  const root = await deriveRoot(config.key.secret.reveal());
  const derived = config.role === "server" && config.tls.kind === "derived";
  return { root: root.key, identity: derived ? await createServerIdentity(root, random) : null };
}
