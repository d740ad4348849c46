/**
 * The tunnel server: its port, its clients, and either visitors (reverse flow) or targets (forward flow).
 *
 * @module
 */
import { formatAddress } from "../address/ip.ts";
import type { ServerConfig } from "../config/types.ts";
import { NodePassError } from "../errors.ts";
import type { Conn, SocketAddress, Timer } from "../runtime/types.ts";
import { VERSION } from "../version.ts";
import { encodeConfigMessage, parseClientConfigMessage } from "../wire/secure/config_message.ts";
import { ControlChannel } from "../wire/secure/control_channel.ts";
import {
  type ControlMessage,
  encodeCancel,
  encodeConfig,
  encodeDemand,
  encodeGoaway,
  encodeRefused,
} from "../wire/secure/frames.ts";
import type { FrameLink } from "../wire/secure/frame_link.ts";
import { createServerIdentity } from "../wire/secure/identity.ts";
import { parsePreface } from "../wire/secure/preface.ts";
import { deriveRoot, type RootSecret } from "../wire/secure/root_secret.ts";
import { serverHandshake } from "../wire/secure/server_handshake.ts";
import { openAcceptor } from "./accept/acceptor.ts";
import type { Acceptor, Take } from "./accept/types.ts";
import type { TunnelContext } from "./context.ts";
import { drainSessions } from "./drain.ts";
import { Egress } from "./egress.ts";
import type { Entry } from "./entry.ts";
import { Ingress } from "./ingress.ts";
import { Instance, type InstanceOptions, type InstanceState, startOrClose } from "./instance.ts";
import { Matchmaker } from "./pool/matchmaker.ts";
import { openDatagrams } from "./pool/open_datagrams.ts";
import type { PeerLinks } from "./pool/peer_links.ts";
import { replaceSession } from "./pool/replace_session.ts";
import { chooseServerFlow, logStarted } from "./server_flow.ts";
import { serverLinks } from "./server_links.ts";
import { ServerPeer } from "./server_peer.ts";
import { PeerDirectory } from "./workers/peer_directory.ts";
import { Targets } from "./targets.ts";
import type { TunnelHandle } from "./types.ts";

/** A client without control channel may resume this long, even when it has no link left. */
const RESUME_MS = 60_000;
/** Demand of a burst of visitors travels in one message. */
const DEMAND_DELAY_MS = 5;
/** Where chance decides which worker gets a new link, it is asked for more often. */
const ASK_AGAIN_MS = 100;

/**
 * Listens on the tunnel address until it is closed. The context stays its owner's.
 *
 * @throws NodePassError when an address cannot be bound or a certificate cannot be read
 */
export async function startTunnelServer(
  context: TunnelContext<ServerConfig>,
  options: InstanceOptions = {},
): Promise<TunnelHandle> {
  return await startOrClose(new TunnelServer(context), options);
}

class TunnelServer extends Instance<ServerConfig> {
  readonly #peers = new Map<string, ServerPeer>();
  readonly #matchmaker: Matchmaker<FrameLink>;
  readonly #ingress: Ingress;
  readonly #egress: Egress;
  readonly #cutDials = new AbortController();
  readonly #stopTick: () => void;
  #acceptor: Acceptor | null = null;
  #entry: Entry | null = null;
  #flow: "reverse" | "forward" = "reverse";
  #root: RootSecret | null = null;
  /** What other workers know of the clients; null without workers. */
  #directory: PeerDirectory | null = null;
  /** Runs while a demand is about to be sent. */
  #demand: Timer | null = null;

  constructor(context: TunnelContext<ServerConfig>) {
    super(context);
    const { config, runtime, sweeper, crew } = context;
    this.#matchmaker = new Matchmaker(
      runtime.clock,
      config.settings.poolGetTimeoutMs,
      () => this.#demandSoon(),
      crew === null ? undefined : ASK_AGAIN_MS,
    );
    this.#ingress = new Ingress(
      context,
      this.#matchmaker,
      (opening, receiver) => openDatagrams(this.#connectedLinks(), opening, receiver),
    );
    this.#egress = new Egress(context, new Targets(context), this.#cutDials.signal);
    this.#stopTick = sweeper.onTick((now) => this.#tick(now));
  }

  get addr(): SocketAddress | null {
    return this.#acceptor?.local ?? null;
  }

  get entries(): readonly SocketAddress[] {
    return this.#entry?.addresses ?? [];
  }

  async start(options: InstanceOptions): Promise<void> {
    const { config, runtime, crew } = this.context;
    this.#root = crew?.root ?? await deriveRoot(config.key.secret.reveal());
    const derived = config.tls.kind === "derived";
    const identity = crew?.identity ?? (derived ? await createServerIdentity(this.#root, runtime.random) : null);
    const { flow, entry } = await chooseServerFlow(this.context, this.#ingress.handlers);
    this.#flow = flow;
    this.#entry = entry;
    this.#acceptor = await openAcceptor(this.context, identity, {
      control: (conn, hello, take) => this.#control(conn, hello, take),
      link: (conn, preface, take) => this.#link(conn, preface, take),
      starved: () => this.#ingress.starved(),
    });
    this.#joinCrew();
    this.startReports(options);
    if (this.first) logStarted(this.context, { flow, entry }, this.#acceptor.local);
  }

  protected state(): InstanceState {
    const peers = [...this.#peers.values()].map((peer) => peer.info());
    return {
      mode: this.#flow,
      modeCode: this.#flow === "reverse" ? 1 : 2,
      pingMs: peers.reduce((worst, { pingMs }) => Math.max(worst, pingMs), 0),
      pool: peers.reduce((sum, { pool }) => sum + pool, 0),
      peers,
    };
  }

  async reload(): Promise<void> {
    await this.#acceptor?.reload();
  }

  protected portsFree(): Promise<unknown> {
    return Promise.all([this.#entry?.finished, this.#acceptor?.finished]);
  }

  protected async shutDown(graceMs: number): Promise<void> {
    this.#entry?.close();
    this.#acceptor?.close();
    this.#matchmaker.close();
    this.#demand?.cancel();
    for (const { control } of this.#peers.values()) if (control?.local) control.send(encodeGoaway(graceMs));
    await drainSessions(this.context, graceMs, () => this.#cutDials.abort());
    const peers = [...this.#peers.values()];
    await Promise.all(peers.map(({ control }) => control?.close()));
    for (const { links } of peers) links.close();
    this.#peers.clear();
    await this.#entry?.finished;
    this.#directory?.close();
    this.#stopTick();
  }

  /** Learns of the clients of other workers, from the first to the last. */
  #joinCrew(): void {
    const { config, crew, runtime } = this.context;
    if (crew === null) return;
    // Visitors of a UDP port that cannot be shared are all at the first worker.
    const takers = this.#flow === "reverse" && !runtime.udp.sharesPorts ? 1 : crew.size;
    this.#directory = new PeerDirectory(crew, {
      clock: runtime.clock,
      maxLinks: config.maxLinks,
      datagramWorkers: config.udp ? takers : 0,
      peer: (id) => this.#peers.get(id),
      peers: () => this.#peers.values(),
      create: (id) => {
        const peer = new ServerPeer(id, "", this.#newLinks(id));
        this.#peers.set(id, peer);
        return peer;
      },
      connected: (peer) => this.#matchmaker.add(peer.links),
      disconnected: (peer) => this.#matchmaker.remove(peer.links),
      configure: (peer, minLinks, delays) => this.#configure(peer, minLinks, delays),
      vouch: (host) => this.#acceptor!.vouch(host),
    });
  }

  /** A client asks for a control channel. */
  async #control(conn: Conn, hello: Uint8Array, take: Take): Promise<void> {
    const { config, runtime, logger } = this.context;
    const acceptor = this.#acceptor!;
    const started = runtime.clock.now();
    const agreement = await serverHandshake(conn, hello, {
      root: this.#root!,
      random: runtime.random,
      transport: config.transport,
      tls: config.tls.kind,
      leafSha256: acceptor.leafSha256(conn),
      resumeSecrets: (id) => this.#peers.get(id)?.resumeSecrets ?? [],
    });
    const address = formatAddress(conn.remote);
    const known = agreement.resumed ? this.#peers.get(agreement.clientId) : undefined;
    const refusal = this.#refusal(known);
    const channel = new ControlChannel({
      conn,
      clock: runtime.clock,
      intervalMs: config.settings.reportIntervalMs,
      onMessage: (message) => this.#hear(peer, channel, message),
    });
    const peer = known ?? new ServerPeer(agreement.clientId, address, this.#newLinks(agreement.clientId));
    if (refusal !== null) return await this.#refuse(channel, address, refusal);
    if (this.#directory === null) {
      if (!take()) return void channel.close();
      peer.agree(agreement);
    } else {
      const refused = await this.#directory.agree(peer, agreement, address, conn.remote.host);
      if (refused !== null) return await this.#refuse(channel, address, refused);
      if (!take()) {
        this.#directory.lost(peer);
        if (known === undefined) this.#directory.forget(peer);
        return void channel.close();
      }
    }
    peer.address = address;
    this.#peers.set(peer.id, peer);
    const replaced = peer.control;
    peer.control = channel;
    peer.controlLostAt = null;
    peer.leaving = false;
    replaced?.fail(new NodePassError("closed", "Replaced by a newer control channel of the same client"));
    channel.send(encodeConfig(encodeConfigMessage({
      flow: this.#flow,
      maxLinks: config.maxLinks,
      tcp: config.tcp,
      udp: config.udp,
      delaysSmallWrites: this.#delaysSmallWrites,
      reportIntervalMs: config.settings.reportIntervalMs,
      version: VERSION,
    })));
    const release = acceptor.vouch(conn.remote.host);
    void channel.run();
    channel.finished.then((error) => {
      release();
      this.#controlLost(peer, channel, error);
    });
    this.#matchmaker.add(peer.links);
    const ms = Math.round(runtime.clock.now() - started);
    logger.info(`Tunnel handshaked: ${formatAddress(conn.local)} <-> ${address} in ${ms}ms`);
  }

  async #refuse(channel: ControlChannel, address: string, reason: string): Promise<never> {
    channel.send(encodeRefused(reason));
    await channel.close();
    throw new NodePassError("limit", `Cannot serve client ${address}: ${reason}`);
  }

  /** Whether connections of the tunnel port keep Nagle's delay: then clients answer small frames at once. */
  get #delaysSmallWrites(): boolean {
    const { config, runtime } = this.context;
    return config.tls.kind !== "plain" && config.transport === "tcp" && runtime.tls.serverDelaysSmallWrites;
  }

  #refusal(known: ServerPeer | undefined): string | null {
    const { maxClients } = this.context.config;
    if (this.closing) return "the server is shutting down";
    // One that is going away makes room: most likely for itself, started anew.
    const connected = [...this.#peers.values()].filter(({ control, leaving }) => control !== null && !leaving).length;
    return known === undefined && connected >= maxClients
      ? `the server takes ${maxClients} client${maxClients === 1 ? "" : "s"} at once`
      : null;
  }

  #hear(peer: ServerPeer, channel: ControlChannel, message: ControlMessage): void {
    if (peer.control !== channel) return;
    switch (message.kind) {
      case "config": {
        const { minLinks, delaysSmallWrites } = parseClientConfigMessage(message.json);
        this.#configure(peer, minLinks, delaysSmallWrites);
        this.#directory?.tell({ kind: "configured", client: peer.id, minLinks, delaysSmallWrites });
        return;
      }
      case "cancel":
        this.#directory?.tell({
          kind: "cancelled",
          client: peer.id,
          link: message.link,
          sequence: message.sequence,
        });
        return peer.links.cancelled(message.link, message.sequence);
      case "goaway":
        peer.leaving = true;
        this.#directory?.tell({ kind: "leaving", client: peer.id });
        return this.#matchmaker.remove(peer.links);
      default:
        throw new NodePassError("protocol", `Client sent ${message.kind.toUpperCase()} to its server`);
    }
  }

  #configure(peer: ServerPeer, minLinks: number, delaysSmallWrites: boolean): void {
    const { crew } = this.context;
    // Above its share, so that links spread by chance are not opened and closed for ever.
    const minReady = crew === null ? minLinks : Math.ceil(minLinks / crew.size) + 1;
    peer.links.configure({ minReady, acknowledge: delaysSmallWrites });
  }

  #controlLost(peer: ServerPeer, channel: ControlChannel, error: NodePassError): void {
    if (peer.control !== channel) return;
    peer.control = null;
    peer.controlLostAt = this.context.runtime.clock.now();
    this.#matchmaker.remove(peer.links);
    this.#directory?.lost(peer);
    if (!this.closing) {
      this.context.logger.info(`Client disconnected: ${peer.address}`, { reason: error.message });
    }
  }

  /** A connection with the preface of a link. */
  async #link(conn: Conn, bytes: Uint8Array, take: Take): Promise<boolean> {
    const preface = parsePreface(bytes);
    const peer = this.#peers.get(preface.clientId);
    if (peer === undefined) {
      // A client of before a restart: it learns on its control channel that it has a new id, and is not to blame.
      throw new NodePassError("not_found", "A link of an unknown client arrived");
    }
    if (!await peer.verify(preface, bytes)) return false;
    if (!take()) return true;
    if (preface.kind === "session") peer.links.add(conn, preface.counter);
    else peer.links.addDatagrams(conn, preface.counter);
    return true;
  }

  #newLinks(id: string): PeerLinks {
    return serverLinks(this.context, this.#flow, {
      egress: this.#egress,
      orphaned: (session) => void replaceSession(this.#matchmaker, session),
      cancel: (counter, sequence) => this.#peers.get(id)?.control?.send(encodeCancel(counter, sequence)),
      changed: () => {
        this.#matchmaker.offer();
        if (this.#directory !== null) this.#changed(id);
      },
    });
  }

  #changed(id: string): void {
    const peer = this.#peers.get(id);
    if (peer !== undefined) this.#directory?.changed(peer);
  }

  *#connectedLinks(): Iterable<PeerLinks> {
    for (const { control, leaving, links } of this.#peers.values()) if (control !== null && !leaving) yield links;
  }

  /** Tells the clients, soon, how many visitors wait for a link. */
  #demandSoon(): void {
    this.#demand ??= this.context.runtime.clock.after(DEMAND_DELAY_MS, () => {
      this.#demand = null;
      const clients = [...this.#peers.values()].filter(({ control, leaving }) => control !== null && !leaving);
      const each = Math.ceil(this.#matchmaker.waiting / Math.max(1, clients.length));
      if (each === 0) return;
      for (const peer of clients) {
        if (this.#directory === null) peer.control!.send(encodeDemand(each));
        else this.#directory.wanted(peer, each);
      }
    });
  }

  #tick(now: number): void {
    for (const peer of [...this.#peers.values()]) {
      peer.links.tick(now, peer.controlLostAt);
      if (peer.controlLostAt === null) continue;
      const forgotten = now - peer.controlLostAt >= RESUME_MS;
      if (forgotten) peer.links.closeReady();
      // The links of this client may be at other workers.
      if (peer.links.total > 0 || (this.#directory !== null && !forgotten)) continue;
      // A link whose preface is being verified finds them closed.
      peer.links.close();
      this.#peers.delete(peer.id);
      this.#directory?.forget(peer);
    }
    this.#directory?.tick();
  }
}
