/**
 * What the tunnel clients of all wires do: they reach their server, serve until it is lost, and reach it again.
 *
 * @module
 */
import { formatAddress } from "../address/ip.ts";
import type { ClientConfig } from "../config/types.ts";
import { messageOf, type NodePassError } from "../errors.ts";
import type { SocketAddress } from "../runtime/types.ts";
import { Backoff } from "./backoff.ts";
import type { TunnelContext } from "./context.ts";
import { type Entry, type EntryHandlers, openEntry } from "./entry.ts";
import { Instance, type InstanceOptions } from "./instance.ts";
import { pause } from "./pause.ts";
import type { TunnelHandle } from "./types.ts";

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 4_000;
/** A control connection that lived this long is a success. */
const STABLE_MS = 2_000;

/** Which way the server works. */
type Flow = "reverse" | "forward";

/** Resolves after the first attempt to reach the server, whether it succeeded or will be repeated. */
export async function startDialing(client: DialingClient, options: InstanceOptions): Promise<TunnelHandle> {
  const giveUp = (): void => void client.close({ graceMs: 0 });
  options.signal?.addEventListener("abort", giveUp);
  try {
    await client.start(options);
  } finally {
    options.signal?.removeEventListener("abort", giveUp);
  }
  return client;
}

/** See the module. */
export abstract class DialingClient extends Instance<ClientConfig> {
  /** Ends calls of the server that are under way; no more follow. */
  protected readonly stopped: AbortController = new AbortController();
  /** Where visitors arrive in forward flow. */
  protected entry: Entry | null = null;
  /** null until the server said it. */
  protected flow: Flow | null = null;
  /** Resolves when the server is not called any more. */
  protected running: Promise<void> | null = null;
  readonly #backoff: Backoff;

  constructor(context: TunnelContext<ClientConfig>) {
    super(context);
    this.#backoff = new Backoff(context.runtime.random, FIRST_RETRY_MS, LONGEST_RETRY_MS);
  }

  get addr(): SocketAddress | null {
    return this.entry?.addresses[0] ?? null;
  }

  get entries(): readonly SocketAddress[] {
    return this.entry?.addresses ?? [];
  }

  async start(options: InstanceOptions): Promise<void> {
    const { config, logger } = this.context;
    if (this.first) logger.info(`Client started: server is ${formatAddress(config.tunnel)}`);
    this.startReports(options);
    const { promise: tried, resolve } = Promise.withResolvers<void>();
    this.running = this.#run(resolve).catch((error) => this.fail(error));
    await Promise.race([tried, this.finished]);
  }

  async reload(): Promise<void> {
    const { logger, runtime } = this.context;
    try {
      if (await this.reloadRoots()) logger.info("Certificate files reloaded");
    } catch (error) {
      const reason = messageOf(runtime.toError(error));
      logger.error("Certificate files not reloaded: the old certificate stays", { reason });
    }
  }

  /** One control connection, from its beginning to its end: resolves with what ended it. */
  protected abstract serve(connected: () => void): Promise<NodePassError>;

  /** Reads the extra trust roots again; true when they are others than before. */
  protected abstract reloadRoots(): Promise<boolean>;

  /** Whether the server is not to be called again. */
  protected abstract get over(): boolean;

  /** How long a server that is expected back any moment is not called, in ms, without a word about it; else null. */
  protected get hurry(): number | null {
    return null;
  }

  protected portsFree(): Promise<unknown> {
    return Promise.resolve(this.entry?.finished);
  }

  /** Takes over which way the server works. */
  protected turn(flow: Flow): void {
    if (this.flow !== null && this.flow !== flow) {
      this.context.logger.info("Server changed the direction of its flow");
      this.entry?.close();
      this.entry = null;
    }
    this.flow = flow;
  }

  /** Opens the entry of forward flow unless it is open. A port that cannot be bound is the end of the client. */
  protected async openEntryOnce(handlers: EntryHandlers): Promise<void> {
    if (this.flow !== "forward" || this.entry !== null || this.closing) return;
    try {
      this.entry = await openEntry(this.context, this.context.config.targets, handlers);
    } catch (error) {
      throw new FatalError(error);
    }
    if (this.closing) return this.entry.close();
    if (this.first) this.context.logger.info(`Visitors arrive at ${this.entries.map(formatAddress).join(", ")}`);
  }

  /** A control connection ended that was there since `at` (clock ms). */
  protected lived(at: number): void {
    // A server that hangs up right after the handshake is not called again and again without a pause.
    if (this.context.runtime.clock.now() - at >= STABLE_MS) this.#backoff.reset();
  }

  async #run(tried: () => void): Promise<void> {
    const { logger, runtime } = this.context;
    while (!this.over) {
      try {
        const ended = await this.serve(tried);
        if (!this.over && this.hurry === null) logger.error(`Client error: ${ended.message}`);
      } catch (error) {
        if (error instanceof FatalError) throw error.cause;
        if (!this.over && this.hurry === null) logger.error(`Client error: ${messageOf(runtime.toError(error))}`);
      }
      tried();
      const wait = this.hurry ?? this.#backoff.next();
      if (wait > 0 && !this.over) await pause(runtime.clock, wait, this.stopped.signal);
    }
  }
}

/** Ends a client for good. */
class FatalError extends Error {
  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
  }
}
