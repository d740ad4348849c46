/**
 * The tunnel client: connects to its server, keeps links ready, and either dials targets (reverse flow) or takes
 * visitors (forward flow).
 *
 * @module
 */
import { formatAddress } from "../address/ip.ts";
import type { ClientConfig } from "../config/types.ts";
import { NodePassError } from "../errors.ts";
import { VERSION } from "../version.ts";
import type { Agreement } from "../wire/secure/agreement.ts";
import {
  encodeConfigMessage,
  parseServerConfigMessage,
  type ServerConfigMessage,
} from "../wire/secure/config_message.ts";
import { type ControlMessage, encodeCancel, encodeConfig, encodeGoaway } from "../wire/secure/frames.ts";
import type { FrameLink } from "../wire/secure/frame_link.ts";
import { ControlChannel } from "../wire/secure/control_channel.ts";
import { type Supplied, supplyLinks } from "./client_links.ts";
import { ServerCalls } from "./server_calls.ts";
import type { TunnelContext } from "./context.ts";
import { DialingClient, startDialing } from "./dialing_client.ts";
import { drainSessions } from "./drain.ts";
import { Egress } from "./egress.ts";
import { Ingress } from "./ingress.ts";
import type { InstanceOptions, InstanceState } from "./instance.ts";
import { Matchmaker } from "./pool/matchmaker.ts";
import { openDatagrams } from "./pool/open_datagrams.ts";
import type { PeerLinks } from "./pool/peer_links.ts";
import { replaceSession } from "./pool/replace_session.ts";
import { Targets } from "./targets.ts";
import type { TunnelHandle } from "./types.ts";

/** A server that goes away is mostly started anew at once: it is called this often, for this long. */
const SUCCESSOR_RETRY_MS = 50;
const SUCCESSOR_MS = 1_000;

/** Resolves after the first attempt to reach the server, whether it succeeded or will be repeated. */
export async function startTunnelClient(
  context: TunnelContext<ClientConfig>,
  options: InstanceOptions = {},
): Promise<TunnelHandle> {
  return await startDialing(new TunnelClient(context), options);
}

class TunnelClient extends DialingClient {
  readonly #calls: ServerCalls;
  readonly #matchmaker: Matchmaker<FrameLink>;
  readonly #ingress: Ingress;
  readonly #egress: Egress;
  readonly #cutDials = new AbortController();
  readonly #stopTick: () => void;
  #agreement: Agreement | null = null;
  #supplied: Supplied | null = null;
  /** Links of client ids that the server has forgotten, or that went away with it: their sessions end by themselves. */
  readonly #former = new Set<Supplied>();
  #control: ControlChannel | null = null;
  /** Channels of servers that are going away. */
  readonly #leaving = new Set<ControlChannel>();
  /** Until when the successor of a server is called without long pauses (clock ms). */
  #successorUntil = 0;
  #serverAddress = "";

  constructor(context: TunnelContext<ClientConfig>) {
    super(context);
    const { config, runtime, sweeper } = context;
    this.#calls = new ServerCalls(context);
    this.#matchmaker = new Matchmaker(runtime.clock, config.settings.poolGetTimeoutMs, (waiting) => {
      this.#supplied?.sessions.demand(waiting);
    });
    this.#ingress = new Ingress(
      context,
      this.#matchmaker,
      (opening, receiver) => this.#control === null ? null : openDatagrams(this.#links(), opening, receiver),
    );
    this.#egress = new Egress(context, new Targets(context), this.#cutDials.signal);
    this.#stopTick = sweeper.onTick((now) => this.#tick(now));
  }

  protected state(): InstanceState {
    const links = this.#supplied?.links ?? null;
    const pingMs = Math.round(this.#control?.pingMs ?? 0);
    const pool = links?.ready ?? 0;
    const id = this.#agreement?.clientId ?? "";
    const server = { id, address: this.#serverAddress, pingMs, pool, sessions: links?.sessions ?? 0 };
    return { mode: this.flow, modeCode: 2, pingMs, pool, peers: this.#control === null ? [] : [server] };
  }

  protected override reloadRoots(): Promise<boolean> {
    return this.#calls.reload();
  }

  protected async shutDown(graceMs: number): Promise<void> {
    this.entry?.close();
    this.#stopSupply();
    this.#matchmaker.close();
    this.#control?.send(encodeGoaway(graceMs));
    await drainSessions(this.context, graceMs, () => this.#cutDials.abort());
    this.stopped.abort();
    await this.#control?.close();
    await Promise.all([...this.#leaving].map((control) => control.close()));
    for (const links of this.#links()) links.close();
    await this.running;
    await this.entry?.finished;
    this.#stopTick();
  }

  protected override get over(): boolean {
    return this.stopped.signal.aborted;
  }

  protected override get hurry(): number | null {
    return this.context.runtime.clock.now() < this.#successorUntil ? SUCCESSOR_RETRY_MS : null;
  }

  /** One control channel, from its connection to its end, or to the word that the server goes away. */
  protected override async serve(connected: () => void): Promise<NodePassError> {
    const { runtime, logger, config } = this.context;
    const { signal } = this.stopped;
    const started = runtime.clock.now();
    const { conn, agreement } = await this.#calls.control(this.#agreement, signal);
    const { promise: configured, resolve, reject } = Promise.withResolvers<ServerConfigMessage>();
    const { promise: goesAway, resolve: leave } = Promise.withResolvers<NodePassError>();
    const channel = new ControlChannel({
      conn,
      clock: runtime.clock,
      intervalMs: config.settings.reportIntervalMs,
      onMessage: (message) => this.#hear(channel, message, { configured: resolve, refused: reject, leave }),
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
    this.#successorUntil = 0;
    const supplied = this.#supplied!;
    supplied.control = channel;
    supplied.controlLostAt = null;
    this.#serverAddress = formatAddress(conn.remote);
    const ms = Math.round(runtime.clock.now() - started);
    logger.info(`Tunnel handshaked: ${formatAddress(conn.local)} <-> ${this.#serverAddress} in ${ms}ms`);
    this.#startSupply();
    connected();
    const connectedAt = runtime.clock.now();
    const over = channel.finished.then((error) => {
      this.#leaving.delete(channel);
      supplied.control = null;
      supplied.controlLostAt = runtime.clock.now();
      return error;
    });
    const ended = await Promise.race([over, goesAway]);
    this.#control = null;
    if (supplied.control !== null) {
      this.#leaving.add(channel);
      this.#successorUntil = runtime.clock.now() + SUCCESSOR_MS;
    }
    this.lived(connectedAt);
    this.#stopSupply();
    return ended;
  }

  /** Takes over what the server said; opens the entry at the first time in forward flow. */
  async #apply(settings: ServerConfigMessage, agreement: Agreement): Promise<void> {
    this.turn(settings.flow);
    if (!agreement.resumed || this.#supplied === null) {
      if (this.#supplied !== null) {
        this.#former.add(this.#supplied);
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
    await this.openEntryOnce(this.#ingress.handlers);
    if (settings.flow === "forward") this.#matchmaker.add(this.#supplied.links);
  }

  #newSupply(settings: ServerConfigMessage): Supplied {
    const takesVisitors = settings.flow === "forward";
    const supplied = supplyLinks(this.context, settings, {
      egress: this.#egress,
      orphaned: (session) => void replaceSession(this.#matchmaker, session),
      cancel: (counter, sequence) => supplied.control?.send(encodeCancel(counter, sequence)),
      changed: () => {
        this.#matchmaker.offer();
        this.#supplied?.sessions.fill();
      },
      open: (kind) => this.#calls.link(this.#agreement!, kind, takesVisitors, this.stopped.signal),
    });
    return supplied;
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
    { configured, refused, leave }: {
      readonly configured: (settings: ServerConfigMessage) => void;
      readonly refused: (error: NodePassError) => void;
      readonly leave: (error: NodePassError) => void;
    },
  ): void {
    switch (message.kind) {
      case "config":
        return configured(parseServerConfigMessage(message.json));
      case "refused":
        return refused(new NodePassError("limit", `Server refused this client: ${message.reason}`));
      case "demand":
        if (this.#leaving.has(channel)) return;
        if (message.links > 0) this.#supplied?.sessions.demand(message.links);
        if (message.datagrams > 0) this.#supplied?.datagrams?.demand(message.datagrams);
        return;
      case "cancel":
        for (const { control, links } of this.#supplies()) {
          if (control === channel) links.cancelled(message.link, message.sequence);
        }
        return;
      case "goaway":
        this.context.logger.info("Server is going away", { drainMs: message.drainMs });
        this.#stopSupply();
        if (this.#supplied !== null) this.#matchmaker.remove(this.#supplied.links);
        return leave(new NodePassError("closed", "Server is going away"));
      default:
        channel.fail(new NodePassError("protocol", "Server sent a message that is not for clients"));
    }
  }

  *#supplies(): Iterable<Supplied> {
    if (this.#supplied !== null) yield this.#supplied;
    yield* this.#former;
  }

  *#links(): Iterable<PeerLinks> {
    for (const { links } of this.#supplies()) yield links;
  }

  #tick(now: number): void {
    for (const { links, controlLostAt } of this.#supplies()) links.tick(now, controlLostAt);
    for (const former of this.#former) if (former.links.total === 0) this.#forget(former);
  }

  /** Closed, because a link may still be on its way to them. */
  #forget(former: Supplied): void {
    former.links.close();
    this.#former.delete(former);
  }
}
