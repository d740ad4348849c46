/**
 * Starts any tunnel instance, in one thread or several.
 *
 * @module
 */
import type { TunnelConfig } from "../config/types.ts";
import { messageOf, NodePassError } from "../errors.ts";
import { silentLogger } from "../log/silent.ts";
import type { Logger } from "../log/types.ts";
import { detectRuntime } from "../runtime/detect.ts";
import type { Runtime } from "../runtime/types.ts";
import { createContext } from "../tunnel/create_context.ts";
import type { TunnelHandle } from "../tunnel/types.ts";
import type { StartOptions } from "./options.ts";
import { startRole } from "./role.ts";

/** `NP_WORKERS=auto` starts no more. */
const MAX_WORKERS = 64;

/**
 * Starts an instance. Resolves when it listens, or when a client has made its first attempt to reach the server.
 *
 * @throws {NodePassError} when an address cannot be bound, a file cannot be read, or the configuration asks for
 * something that this version cannot do
 */
export async function startTunnel(config: TunnelConfig, options: StartOptions = {}): Promise<TunnelHandle> {
  const { signal, logger = silentLogger } = options;
  signal?.throwIfAborted();
  try {
    const { handle, release } = await startThreads(config, options);
    const stop = (): void => void handle.close({ graceMs: 0 });
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted) stop();
    handle.finished.catch(() => {}).finally(() => {
      signal?.removeEventListener("abort", stop);
      release();
    });
    return handle;
  } catch (error) {
    logger.error(`${config.role === "server" ? "Server" : "Client"} error: ${messageOf(error)}`);
    throw error;
  }
}

interface Started {
  readonly handle: TunnelHandle;
  /** Called when the instance has ended. */
  readonly release: () => void;
}

function threadsOf(config: TunnelConfig, { threads }: Runtime, logger: Logger): number {
  const size = config.settings.workers ?? Math.min(MAX_WORKERS, threads.processors);
  const alone = config.role === "client" && config.mode === "single";
  if (size === 1 || config.wire === "secure" || alone) return size;
  logger.warn("NP_WORKERS is ignored: wire=1.14 runs in one thread");
  return 1;
}

/** Where it runs: in this thread, or in several of their own. */
async function startThreads(config: TunnelConfig, options: StartOptions): Promise<Started> {
  const { onReport, signal, logger = silentLogger } = options;
  const runtime = options.runtime ?? await detectRuntime();
  if (runtime.threads.parent !== null) {
    throw new NodePassError("not_supported", "Cannot start a tunnel inside a worker of another one");
  }
  const size = threadsOf(config, runtime, logger);
  if (size > 1) {
    const { startWorkers } = await import("./workers.ts");
    return { handle: await startWorkers({ config, size, runtime, logger, onReport, signal }), release: () => {} };
  }
  const owned = createContext(config, runtime, logger);
  try {
    return { handle: await startRole(owned.context, { onReport, signal }), release: () => owned.close() };
  } catch (error) {
    owned.close();
    throw error;
  }
}
