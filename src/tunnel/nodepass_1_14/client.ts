/**
 * The tunnel client of the dialect of Go NodePass 1.14.
 *
 * @module
 */
import { formatAddress } from "../../address/ip.ts";
import type { ClientConfig } from "../../config/types.ts";
import { messageOf, NodePassError } from "../../errors.ts";
import type { SocketAddress } from "../../runtime/types.ts";
import type { RawLink } from "../../wire/nodepass_1_14/raw_link.ts";
import { Backoff } from "../backoff.ts";
import type { TunnelContext } from "../context.ts";
import { drainSessions } from "../drain.ts";
import { Egress } from "../egress.ts";
import { type Entry, openEntry } from "../entry.ts";
import { Ingress } from "../ingress.ts";
import { Instance, type InstanceOptions, type InstanceState } from "../instance.ts";
import { pause } from "../pause.ts";
import { Matchmaker } from "../pool/matchmaker.ts";
import { Targets } from "../targets.ts";
import type { TunnelHandle } from "../types.ts";
import { FormerPairings } from "./former_pairings.ts";
import { LinkSupply } from "./link_supply.ts";
import { Pairing } from "./pairing.ts";
import { type AskedTerms, ServerCalls114 } from "./server_calls.ts";
import { DatagramLinks } from "./waiting_datagrams.ts";

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 4_000;
/** A control connection that lived this long is a success. */
const STABLE_MS = 2_000;

/** Resolves after the first attempt to reach the server, whether it succeeded or will be repeated. */
export async function startTunnelClient114(
  context: TunnelContext<ClientConfig>,
  options: InstanceOptions = {},
): Promise<TunnelHandle> {
  if (context.config.transport !== "tcp") {
    throw new NodePassError("not_supported", "Cannot run links on WebSockets with wire=1.14: take type out of the URL");
  }
  const client = new TunnelClient114(context);
  const giveUp = (): void => void client.close({ graceMs: 0 });
  options.signal?.addEventListener("abort", giveUp);
  try {
    await client.start(options);
  } finally {
    options.signal?.removeEventListener("abort", giveUp);
  }
  return client;
}

class TunnelClient114 extends Instance<ClientConfig> {
  readonly #calls: ServerCalls114;
  readonly #matchmaker: Matchmaker<RawLink>;
  readonly #ingress: Ingress;
  readonly #egress: Egress;
  readonly #cutDials = new AbortController();
  readonly #stopped = new AbortController();
  readonly #backoff: Backoff;
  readonly #former: FormerPairings;
  #running: Promise<void> | null = null;
  #entry: Entry | null = null;
  #flow: "reverse" | "forward" | null = null;
  #pairing: Pairing | null = null;
  #supply: LinkSupply | null = null;

  constructor(context: TunnelContext<ClientConfig>) {
    super(context);
    const { config, runtime, sweeper } = context;
    this.#calls = new ServerCalls114(context);
    this.#matchmaker = new Matchmaker(runtime.clock, config.settings.poolGetTimeoutMs, (waiting) => {
      this.#supply?.demand(waiting);
    });
    const datagrams = new DatagramLinks(context, this.#matchmaker);
    this.#ingress = new Ingress(context, this.#matchmaker, (opening, receiver) => datagrams.open(opening, receiver));
    this.#egress = new Egress(context, new Targets(context), this.#cutDials.signal);
    this.#backoff = new Backoff(runtime.random, FIRST_RETRY_MS, LONGEST_RETRY_MS);
    this.#former = new FormerPairings(sweeper);
  }

  get addr(): SocketAddress | null {
    return this.#entry?.addresses[0] ?? null;
  }

  get entries(): readonly SocketAddress[] {
    return this.#entry?.addresses ?? [];
  }

  async start(options: InstanceOptions): Promise<void> {
    const { config, logger } = this.context;
    logger.info(`Client started: server is ${formatAddress(config.tunnel)}`);
    this.startReports(options);
    const { promise: tried, resolve } = Promise.withResolvers<void>();
    this.#running = this.#run(resolve).catch((error) => this.fail(error));
    await Promise.race([tried, this.finished]);
  }

  protected state(): InstanceState {
    const peers = this.#pairing?.connected ? [this.#pairing.info()] : [];
    return {
      mode: this.#flow,
      modeCode: 2,
      pingMs: peers[0]?.pingMs ?? 0,
      pool: peers[0]?.pool ?? 0,
      peers,
    };
  }

  async reload(): Promise<void> {
    const { logger, runtime } = this.context;
    try {
      if (await this.#calls.reload()) logger.info("Certificate files reloaded");
    } catch (error) {
      const reason = messageOf(runtime.toError(error));
      logger.error("Certificate files not reloaded: the old certificate stays", { reason });
    }
  }

  protected portsFree(): Promise<unknown> {
    return Promise.resolve(this.#entry?.finished);
  }

  protected async shutDown(graceMs: number): Promise<void> {
    this.#entry?.close();
    this.#supply?.stop();
    this.#matchmaker.close();
    // The server has no word for a client that goes away; without links it announces nobody.
    if (this.#flow === "reverse") this.#pairing?.flush();
    await drainSessions(this.context, graceMs, () => this.#cutDials.abort());
    this.#stopped.abort();
    this.#pairing?.close();
    this.#former.close();
    await this.#running;
    await this.#entry?.finished;
  }

  /** Shakes hands, serves until the control connection ends, and again. */
  async #run(tried: () => void): Promise<void> {
    const { logger, runtime } = this.context;
    const { signal } = this.#stopped;
    while (!this.closing) {
      try {
        const ended = await this.#serve(tried);
        if (!this.closing) logger.error(`Client error: ${ended.message}`);
      } catch (error) {
        if (error instanceof FatalError) throw error.cause;
        if (!this.closing) logger.error(`Client error: ${messageOf(runtime.toError(error))}`);
      }
      tried();
      if (this.closing) return;
      const wait = this.#backoff.next();
      if (wait > 0) await pause(runtime.clock, wait, signal);
    }
  }

  /** One handshake and what follows from it. */
  async #serve(connected: () => void): Promise<NodePassError> {
    const { clock } = this.context.runtime;
    const started = clock.now();
    const asked = await this.#calls.handshake(this.#stopped.signal);
    await this.#apply(asked);
    if (this.closing) return new NodePassError("closed", "Tunnel is closing");
    let connectedAt = Infinity;
    const pairing = this.#pair(asked, started, () => {
      connectedAt = clock.now();
      connected();
    });
    this.#pairing = pairing;
    const supply = this.#supply = new LinkSupply(this.context, asked, this.#calls, pairing, this.#stopped.signal);
    supply.start();
    const ended = await pairing.finished;
    supply.stop();
    this.#pairing = this.#supply = null;
    this.#matchmaker.remove(pairing.links);
    this.#former.add(pairing);
    // A server that hangs up right after the handshake is not called again and again without a pause.
    if (clock.now() - connectedAt >= STABLE_MS) this.#backoff.reset();
    return ended;
  }

  /** Takes over which way the server works; opens the entry at the first time in forward flow. */
  async #apply({ terms: { flow } }: AskedTerms): Promise<void> {
    const { config, logger } = this.context;
    if (this.#flow !== null && this.#flow !== flow) {
      logger.info("Server changed the direction of its flow");
      this.#entry?.close();
      this.#entry = null;
    }
    this.#flow = flow;
    if (flow === "reverse" || this.#entry !== null || this.closing) return;
    try {
      this.#entry = await openEntry(this.context, config.targets, this.#ingress.handlers);
    } catch (error) {
      throw new FatalError(error);
    }
    if (this.closing) return this.#entry.close();
    logger.info(`Visitors arrive at ${this.entries.map(formatAddress).join(", ")}`);
  }

  #pair({ terms, host }: AskedTerms, started: number, connected: () => void): Pairing {
    const { logger, runtime } = this.context;
    const pairing: Pairing = new Pairing({
      context: this.context,
      end: terms.flow === "forward" ? "ingress" : "egress",
      tls: terms.tls !== 0,
      maxReady: terms.max,
      host,
      egress: this.#egress,
      connected: (control) => {
        const ms = Math.round(runtime.clock.now() - started);
        logger.info(
          `Tunnel handshaked: ${formatAddress(control.local)} <-> ${formatAddress(control.remote)} in ${ms}ms`,
        );
        connected();
      },
      opened: () => {
        if (terms.flow === "forward") this.#matchmaker.add(pairing.links);
      },
      changed: () => {
        this.#matchmaker.offer();
        this.#supply?.fill();
      },
      announced: () => this.#supply?.used(),
      spurned: () => this.#supply?.spurned(),
    });
    return pairing;
  }
}

/** Ends a client for good. */
class FatalError extends Error {
  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
  }
}
