/**
 * Starts Core: parts, services, doors, and the tokens of a first start.
 *
 * @module
 */
import { isLoopback } from "../address/ip.ts";
import type { SocketAddress } from "../runtime/types.ts";
import { assemble } from "./assemble.ts";
import { Closing } from "./closing.ts";
import { listen, type Listeners } from "./listeners.ts";
import type { CoreBase } from "./open_store.ts";
import { createServices } from "./services.ts";

/** A Core that runs. */
export interface RunningCore extends AsyncDisposable {
  /** Where HTTP listens. */
  readonly http: SocketAddress;
  /** Where gRPC listens. */
  readonly grpc: SocketAddress;
  /** `http://host:port`, or `https:` */
  readonly httpUrl: string;
  /** The first token of an administrator, made just now: the only time that it is known. */
  readonly adminToken: string | null;
  /** The first join token, made just now where nodes need one: the only time that it is known. */
  readonly joinToken: string | null;
  /** Resolves once closed. */
  readonly finished: Promise<void>;
  /** Reads the certificate again. */
  reload(): Promise<void>;
  /** Takes no more calls, lets those under way end, stores what is not stored yet. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts Core.
 *
 * @throws {NodePassError} `locked` when another Core has the database; otherwise what kept it from starting
 */
export async function runCore(base: CoreBase): Promise<RunningCore> {
  const { logger, settings } = base;
  const closing = new Closing(logger);
  try {
    const parts = await assemble(base, closing);
    const services = await createServices(parts, closing);
    const joinToken = await services.joinTokens.first(parts.db);
    const adminToken = await services.adminTokens.ensureFirst();
    const listeners = await listen(parts, services, closing);
    warnings(base, listeners);
    logger.info("Core started", {
      ...{ http: listeners.httpUrl, grpc: listeners.grpc.port },
      ...{ store: settings.database.kind, registration: settings.registration },
    });
    return handleOf(base, closing, listeners, { adminToken, joinToken });
  } catch (error) {
    await closing.run();
    throw error;
  }
}

function warnings({ logger, settings }: CoreBase, { http }: Listeners): void {
  const beyond = !isLoopback(http.host);
  if (beyond && settings.tls === null) logger.warn("Keys and data of users go over the network in plaintext");
  if (beyond && settings.registration === "open") logger.warn("Everybody who reaches this address may register nodes");
  if (settings.tls === null && settings.insecure && !beyond) logger.info("CORE_INSECURE changes nothing on loopback");
}

function handleOf(
  { logger }: CoreBase,
  closing: Closing,
  { http, grpc, httpUrl, reload }: Listeners,
  tokens: Pick<RunningCore, "adminToken" | "joinToken">,
): RunningCore {
  const ended = Promise.withResolvers<void>();
  let closed: Promise<void> | null = null;
  const close = (): Promise<void> =>
    closed ??= closing.run().then(() => {
      logger.info("Core stopped");
      ended.resolve();
    });
  return { http, grpc, httpUrl, ...tokens, finished: ended.promise, reload, close, [Symbol.asyncDispose]: close };
}
