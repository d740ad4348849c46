/**
 * The tunnel client: connects to its server, keeps links ready, and either dials targets (reverse flow) or takes
 * visitors (forward flow).
 *
 * @module
 */
import { formatAddress } from "../address/ip.ts";
import type { ClientConfig } from "../config/types.ts";
import { messageOf, NodePassError } from "../errors.ts";
import type { Clock, SocketAddress } from "../runtime/types.ts";
import { VERSION } from "../version.ts";
import type { Agreement } from "../wire/secure/agreement.ts";
import {
  encodeConfigMessage,
  parseServerConfigMessage,
  type ServerConfigMessage,
} from "../wire/secure/config_message.ts";
import { type ControlMessage, encodeCancel, encodeConfig, encodeGoaway } from "../wire/secure/frames.ts";
import { ControlChannel } from "../wire/secure/control_channel.ts";
import { Backoff } from "./backoff.ts";
import { ServerCalls } from "./server_calls.ts";
import type { TunnelContext } from "./context.ts";
import { drainSessions } from "./drain.ts";
import { Egress } from "./egress.ts";
import { type Entry, openEntry } from "./entry.ts";
import { Ingress } from "./ingress.ts";
import { Instance, type InstanceOptions, type InstanceState } from "./instance.ts";
import { Matchmaker } from "./pool/matchmaker.ts";
import { PeerLinks } from "./pool/peer_links.ts";
import { Supply } from "./pool/supply.ts";
import { Targets } from "./targets.ts";
import type { TunnelHandle } from "./types.ts";

/** Links for datagrams, when both ends want UDP. */
const DATAGRAM_LINKS = 2;
/** A server whose workers share the tunnel port asks for more, until each has one. */
const MOST_DATAGRAM_LINKS = 1_024;
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 4_000;
/** A control channel that lived this long is a success. */
const STABLE_MS = 2_000;

/** Resolves after the first attempt to reach the server, whether it succeeded or will be repeated. */
export async function startTunnelClient(
  context: TunnelContext<ClientConfig>,
  options: InstanceOptions = {},
): Promise<TunnelHandle> {
  const client = new TunnelClient(context);
  const giveUp = (): void => void client.close({ graceMs: 0 });
  options.signal?.addEventListener("abort", giveUp);
  try {
    await client.start(options);
  } finally {
    options.signal?.removeEventListener("abort", giveUp);
  }
  return client;
}

/** The links to the server that one client id stands for, and what keeps them coming. */
interface Supplied {
  readonly links: PeerLinks;
  readonly sessions: Supply;
  readonly datagrams: Supply | null;
}

class TunnelClient extends Instance<ClientConfig> {
  readonly #calls: ServerCalls;
  readonly #matchmaker: Matchmaker;
  readonly #ingress: Ingress;
  readonly #egress: Egress;
  readonly #cutDials = new AbortController();
  readonly #stopped = new AbortController();
  readonly #backoff: Backoff;
  readonly #stopTick: () => void;
  #running: Promise<void> | null = null;
  #entry: Entry | null = null;
  #flow: "reverse" | "forward" | null = null;
  #agreement: Agreement | null = null;
  #supplied: Supplied | null = null;
  /** Links of client ids that the server has forgotten: their sessions end by themselves. */
  readonly #former = new Set<PeerLinks>();
  #control: ControlChannel | null = null;
  #controlLostAt: number | null = null;
  #serverAddress = "";

  constructor(context: TunnelContext<ClientConfig>) {
    super(context);
    const { config, runtime, sweeper } = context;
    this.#calls = new ServerCalls(context);
    this.#matchmaker = new Matchmaker(runtime.clock, config.settings.poolGetTimeoutMs, (waiting) => {
      this.#supplied?.sessions.demand(waiting);
    });
    this.#ingress = new Ingress(context, this.#matchmaker, () => this.#control === null ? [] : this.#links());
    this.#egress = new Egress(context, new Targets(context), this.#cutDials.signal);
    this.#backoff = new Backoff(runtime.random, FIRST_RETRY_MS, LONGEST_RETRY_MS);
    this.#stopTick = sweeper.onTick((now) => this.#tick(now));
  }

  get addr(): SocketAddress | null {
    return this.#entry?.addresses[0] ?? null;
  }

  get entries(): readonly SocketAddress[] {
    return this.#entry?.addresses ?? [];
  }

  async start(options: InstanceOptions): Promise<void> {
    const { config, logger } = this.context;
    if (this.first) logger.info(`Client started: server is ${formatAddress(config.tunnel)}`);
    this.startReports(options);
    const { promise: tried, resolve } = Promise.withResolvers<void>();
    this.#running = this.#run(resolve).catch((error) => this.fail(error));
    await Promise.race([tried, this.finished]);
  }

  protected state(): InstanceState {
    const links = this.#supplied?.links ?? null;
    const pingMs = Math.round(this.#control?.pingMs ?? 0);
    const pool = links?.ready ?? 0;
    const id = this.#agreement?.clientId ?? "";
    const server = { id, address: this.#serverAddress, pingMs, pool, sessions: links?.sessions ?? 0 };
    return { mode: this.#flow, modeCode: 2, pingMs, pool, peers: this.#control === null ? [] : [server] };
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

  protected async shutDown(graceMs: number): Promise<void> {
    this.#entry?.close();
    this.#stopSupply();
    this.#matchmaker.close();
    this.#control?.send(encodeGoaway(graceMs));
    await drainSessions(this.context, graceMs, () => this.#cutDials.abort());
    this.#stopped.abort();
    await this.#control?.close();
    for (const links of this.#links()) links.close();
    await this.#running;
    await this.#entry?.finished;
    this.#stopTick();
  }

  /** Connects, serves until the control channel ends, and again. */
  async #run(tried: () => void): Promise<void> {
    const { logger, runtime } = this.context;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        const ended = await this.#serve(tried);
        if (!signal.aborted) logger.error(`Client error: ${ended.message}`);
      } catch (error) {
        if (error instanceof FatalError) throw error.cause;
        if (!signal.aborted) logger.error(`Client error: ${messageOf(error)}`);
      }
      tried();
      const wait = this.#backoff.next();
      if (wait > 0 && !signal.aborted) await pause(runtime.clock, wait, signal);
    }
  }

  /** One control channel, from its connection to its end. */
  async #serve(connected: () => void): Promise<NodePassError> {
    const { runtime, logger, config } = this.context;
    const { signal } = this.#stopped;
    const started = runtime.clock.now();
    const { conn, agreement } = await this.#calls.control(this.#agreement, signal);
    const { promise: configured, resolve, reject } = Promise.withResolvers<ServerConfigMessage>();
    const channel = new ControlChannel({
      conn,
      clock: runtime.clock,
      intervalMs: config.settings.reportIntervalMs,
      onMessage: (message) => this.#hear(channel, message, resolve, reject),
    });
    const timer = runtime.clock.after(config.settings.handshakeTimeoutMs, () => {
      reject(new NodePassError("timed_out", "Server did not send its configuration"));
    });
    channel.send(
      encodeConfig(encodeConfigMessage({ minLinks: config.minLinks, delaysSmallWrites: false, version: VERSION })),
    );
    void channel.run();
    // The configuration may still be on its way, or never come.
    const stop = (): void => void channel.close();
    signal.addEventListener("abort", stop);
    channel.finished.then((error) => {
      signal.removeEventListener("abort", stop);
      reject(error);
    });
    if (signal.aborted) stop();
    try {
      const settings = await configured;
      await this.#apply(settings, agreement);
    } catch (error) {
      channel.fail(error);
      throw error;
    } finally {
      timer.cancel();
    }
    if (this.closing) channel.send(encodeGoaway(config.settings.shutdownTimeoutMs));
    this.#control = channel;
    this.#controlLostAt = null;
    this.#serverAddress = formatAddress(conn.remote);
    const ms = Math.round(runtime.clock.now() - started);
    logger.info(`Tunnel handshaked: ${formatAddress(conn.local)} <-> ${this.#serverAddress} in ${ms}ms`);
    this.#startSupply();
    connected();
    const connectedAt = runtime.clock.now();
    const ended = await channel.finished;
    this.#control = null;
    this.#controlLostAt = runtime.clock.now();
    // A server that hangs up right after the handshake is not called again and again without a pause.
    if (this.#controlLostAt - connectedAt >= STABLE_MS) this.#backoff.reset();
    this.#stopSupply();
    return ended;
  }

  /** Takes over what the server said; opens the entry at the first time in forward flow. */
  async #apply(settings: ServerConfigMessage, agreement: Agreement): Promise<void> {
    if (this.#flow !== null && this.#flow !== settings.flow) {
      this.context.logger.info("Server changed the direction of its flow");
      this.#entry?.close();
      this.#entry = null;
    }
    this.#flow = settings.flow;
    if (!agreement.resumed || this.#supplied === null) {
      if (this.#supplied !== null) {
        this.#former.add(this.#supplied.links);
        this.#supplied.links.closeReady();
        this.#matchmaker.remove(this.#supplied.links);
      }
      this.#supplied = this.#newSupply(settings);
    }
    this.#agreement = agreement;
    this.#supplied.links.configure({
      acknowledge: settings.delaysSmallWrites,
      maxReady: Math.ceil(settings.maxLinks / (this.context.crew?.size ?? 1)),
    });
    if (settings.flow === "forward" && this.#entry === null && !this.closing) await this.#openEntry();
    if (settings.flow === "forward") this.#matchmaker.add(this.#supplied.links);
  }

  async #openEntry(): Promise<void> {
    const { config, logger } = this.context;
    try {
      this.#entry = await openEntry(this.context, config.targets, this.#ingress.handlers);
      if (this.closing) return this.#entry.close();
      if (this.first) logger.info(`Visitors arrive at ${this.entries.map(formatAddress).join(", ")}`);
    } catch (error) {
      throw new FatalError(error);
    }
  }

  #newSupply(settings: ServerConfigMessage): Supplied {
    const { config, runtime, ledger, logger, crew } = this.context;
    // The server bounds each client; workers are one to whoever configured them.
    const maxLinks = Math.ceil(settings.maxLinks / (crew?.size ?? 1));
    const links = new PeerLinks({
      end: settings.flow === "forward" ? "ingress" : "egress",
      maxBufferBytes: config.settings.tcpBufferBytes,
      minReady: Math.min(config.minLinks, maxLinks),
      maxReady: maxLinks,
      acknowledge: settings.delaysSmallWrites,
      surplusMs: config.settings.maxPoolIntervalMs,
      now: () => runtime.clock.now(),
      after: (ms, run) => runtime.clock.after(ms, run),
      soon: (run) => runtime.clock.soon(run),
      events: {
        opened: (session) => this.#egress.open(session),
        openedDatagrams: (session) => this.#egress.openDatagrams(session),
        orphaned: (session) => void this.#ingress.replace(session),
        cancel: (counter, sequence) => this.#control?.send(encodeCancel(counter, sequence)),
        changed: () => {
          this.#matchmaker.offer();
          this.#supplied?.sessions.fill();
        },
        dropped: () => ledger.reject("overflow"),
        lost: (error) => {
          if (error.code !== "closed") logger.debug("Link ended", { reason: error.message });
        },
      },
    });
    const takesVisitors = settings.flow === "forward";
    const supply = (kind: "session" | "datagram", least: number, most: number, ready: () => number) =>
      new Supply({
        clock: runtime.clock,
        random: runtime.random,
        minReady: least,
        maxReady: most,
        intervalMs: config.settings.minPoolIntervalMs,
        ready,
        open: async () => {
          const { conn, counter } = await this.#calls.link(this.#agreement!, kind, takesVisitors, this.#stopped.signal);
          if (kind === "session") links.add(conn, counter);
          else links.addDatagrams(conn, counter);
        },
        onFailure: (error) => logger.warn("Cannot open a link", { reason: messageOf(error) }),
      });
    const least = Math.min(config.minLinks, maxLinks);
    return {
      links,
      sessions: supply("session", least, maxLinks, () => links.ready),
      datagrams: config.udp && settings.udp
        ? supply("datagram", DATAGRAM_LINKS, MOST_DATAGRAM_LINKS, () => links.datagramLinks)
        : null,
    };
  }

  #startSupply(): void {
    if (this.closing) return;
    this.#supplied?.sessions.start();
    this.#supplied?.datagrams?.start();
  }

  #stopSupply(): void {
    this.#supplied?.sessions.stop();
    this.#supplied?.datagrams?.stop();
  }

  #hear(
    channel: ControlChannel,
    message: ControlMessage,
    configured: (settings: ServerConfigMessage) => void,
    refused: (error: NodePassError) => void,
  ): void {
    switch (message.kind) {
      case "config":
        return configured(parseServerConfigMessage(message.json));
      case "refused":
        return refused(new NodePassError("limit", `Server refused this client: ${message.reason}`));
      case "demand":
        if (message.links > 0) this.#supplied?.sessions.demand(message.links);
        if (message.datagrams > 0) this.#supplied?.datagrams?.demand(message.datagrams);
        return;
      case "cancel":
        return this.#supplied?.links.cancelled(message.link, message.sequence);
      case "goaway":
        this.context.logger.info("Server is going away", { drainMs: message.drainMs });
        this.#stopSupply();
        if (this.#supplied !== null) this.#matchmaker.remove(this.#supplied.links);
        return;
      default:
        channel.fail(new NodePassError("protocol", "Server sent a message that is not for clients"));
    }
  }

  *#links(): Iterable<PeerLinks> {
    if (this.#supplied !== null) yield this.#supplied.links;
    yield* this.#former;
  }

  #tick(now: number): void {
    for (const links of this.#links()) links.tick(now, this.#controlLostAt);
    for (const links of this.#former) if (links.total === 0) this.#forget(links);
  }

  /** Closed, because a link may still be on its way to them. */
  #forget(former: PeerLinks): void {
    former.close();
    this.#former.delete(former);
  }
}

/** Ends a client for good. */
class FatalError extends Error {
  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
  }
}

/** Waits, or less when `signal` aborts. */
async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.after(ms, resolve);
  const stop = (): void => resolve();
  signal.addEventListener("abort", stop, { once: true });
  await promise;
  signal.removeEventListener("abort", stop);
  timer.cancel();
}
