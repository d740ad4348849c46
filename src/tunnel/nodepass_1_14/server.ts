/**
 * The tunnel server of the dialect of Go NodePass 1.14: one client at a time.
 *
 * The port is in one of two phases. Without a client it answers handshakes; after one, every connection from the
 * client's address is a link, and all others are closed.
 *
 * @module
 */
import { formatAddress, normalizeIp } from "../../address/ip.ts";
import type { ServerConfig } from "../../config/types.ts";
import { NodePassError } from "../../errors.ts";
import { writeAll } from "../../relay/write_all.ts";
import type { Conn, SocketAddress } from "../../runtime/types.ts";
import { answerHandshake, type Terms } from "../../wire/nodepass_1_14/handshake.ts";
import { CONTROL_ID, newLinkId, parseId } from "../../wire/nodepass_1_14/link_id.ts";
import type { RawLink } from "../../wire/nodepass_1_14/raw_link.ts";
import { bearerToken } from "../../wire/nodepass_1_14/token.ts";
import type { Arrival } from "../accept/arrival.ts";
import { FrontDoor } from "../accept/front_door.ts";
import { notTlsError } from "../accept/not_tls.ts";
import type { TunnelContext } from "../context.ts";
import { drainSessions } from "../drain.ts";
import { Egress } from "../egress.ts";
import type { Entry } from "../entry.ts";
import { Ingress } from "../ingress.ts";
import { Instance, type InstanceOptions, type InstanceState, startOrClose } from "../instance.ts";
import { Matchmaker } from "../pool/matchmaker.ts";
import { chooseServerFlow, logStarted } from "../server_flow.ts";
import { Targets } from "../targets.ts";
import type { TunnelHandle } from "../types.ts";
import { FormerPairings } from "./former_pairings.ts";
import { Pairing } from "./pairing.ts";
import { type PortConn, type SecuredConn, ServerPort } from "./port.ts";
import { DatagramLinks } from "./waiting_datagrams.ts";

/** A connection and the client that was served when it came. */
interface Arrived extends SecuredConn {
  readonly pairing: Pairing | null;
}

const TLS_CODES = { plain: 0, derived: 1, files: 2 } as const;

/**
 * Listens on the tunnel address until it is closed. The context stays its owner's.
 *
 * @throws {NodePassError} an address cannot be bound or a certificate cannot be read
 */
export async function startTunnelServer114(
  context: TunnelContext<ServerConfig>,
  options: InstanceOptions = {},
): Promise<TunnelHandle> {
  return await startOrClose(new TunnelServer114(context), options);
}

class TunnelServer114 extends Instance<ServerConfig> {
  readonly #matchmaker: Matchmaker<RawLink>;
  readonly #ingress: Ingress;
  readonly #egress: Egress;
  readonly #cutDials = new AbortController();
  readonly #former: FormerPairings;
  #door: FrontDoor<PortConn, Arrived> | null = null;
  #entry: Entry | null = null;
  #flow: "reverse" | "forward" = "reverse";
  #token = "";
  /** The client that is served; null while handshakes are answered. */
  #pairing: Pairing | null = null;

  constructor(context: TunnelContext<ServerConfig>) {
    super(context);
    const { config, runtime, sweeper } = context;
    // The client opens links by itself: there is no way to ask for more.
    this.#matchmaker = new Matchmaker(runtime.clock, config.settings.poolGetTimeoutMs, () => {});
    const datagrams = new DatagramLinks(context, this.#matchmaker);
    this.#ingress = new Ingress(context, this.#matchmaker, (opening, receiver) => datagrams.open(opening, receiver));
    this.#egress = new Egress(context, new Targets(context), this.#cutDials.signal);
    this.#former = new FormerPairings(sweeper);
  }

  get addr(): SocketAddress | null {
    return this.#door?.local ?? null;
  }

  get entries(): readonly SocketAddress[] {
    return this.#entry?.addresses ?? [];
  }

  async start(options: InstanceOptions): Promise<void> {
    const { config, runtime } = this.context;
    if (config.transport !== "tcp") {
      throw new NodePassError(
        "not_supported",
        "Cannot run links on WebSockets with wire=1.14: take type out of the URL",
      );
    }
    this.#token = await bearerToken(config.key.secret.reveal());
    const { flow, entry } = await chooseServerFlow(this.context, this.#ingress.handlers);
    this.#flow = flow;
    this.#entry = entry;
    const port = await ServerPort.open(runtime, config);
    this.#door = new FrontDoor<PortConn, Arrived>(this.context, port, {
      secure: (conn) => this.#secure(port, conn),
      receive: (arrived, arrival) => this.#receive(arrived, arrival),
      starved: () => this.#ingress.starved(),
    });
    this.startReports(options);
    logStarted(this.context, { flow, entry }, this.#door.local);
  }

  protected state(): InstanceState {
    const peers = this.#pairing?.connected ? [this.#pairing.info()] : [];
    return {
      mode: this.#flow,
      modeCode: this.#flow === "reverse" ? 1 : 2,
      pingMs: peers[0]?.pingMs ?? 0,
      pool: peers[0]?.pool ?? 0,
      peers,
    };
  }

  async reload(): Promise<void> {
    await this.#door?.reload();
  }

  protected portsFree(): Promise<unknown> {
    return Promise.all([this.#entry?.finished, this.#door?.finished]);
  }

  protected async shutDown(graceMs: number): Promise<void> {
    this.#entry?.close();
    this.#door?.close();
    this.#matchmaker.close();
    // The client has no word for a server that goes away; without links it announces nobody.
    if (this.#flow === "forward") this.#pairing?.flush();
    await drainSessions(this.context, graceMs, () => this.#cutDials.abort());
    this.#pairing?.close();
    this.#former.close();
    await this.#entry?.finished;
  }

  async #secure(port: ServerPort, conn: PortConn): Promise<Arrived> {
    const pairing = this.#pairing;
    if (pairing === null) return { ...await port.forHandshake(conn), pairing };
    if (normalizeIp(conn.remote.host) !== pairing.host) {
      throw new NodePassError(
        "wire_mismatch",
        `A connection arrived while the client at ${pairing.host} is served: wire=1.14 takes one client at a time`,
      );
    }
    try {
      return { ...await port.forLink(conn), pairing };
    } catch (error) {
      const failure = this.context.runtime.toError(error);
      if (notTlsError(failure) === null) throw failure;
      throw new NodePassError(
        "wire_mismatch",
        "A connection without TLS arrived where a link in TLS was expected: most likely a second client of the same " +
          "address, and wire=1.14 takes one at a time",
        { cause: failure },
      );
    }
  }

  #receive(arrived: Arrived, arrival: Arrival): Promise<void> {
    return arrived.pairing === null
      ? this.#handshake(arrived.conn, arrival)
      : this.#link(arrived, arrived.pairing, arrival);
  }

  async #handshake(conn: Conn, arrival: Arrival): Promise<void> {
    const { config, runtime } = this.context;
    const started = runtime.clock.now();
    const terms: Terms = {
      flow: this.#flow,
      max: config.maxLinks,
      tls: TLS_CODES[config.tls.kind],
      type: 0,
    };
    const answer = await answerHandshake(conn, {
      token: this.#token,
      terms,
      timeoutMs: config.settings.handshakeTimeoutMs,
      clock: runtime.clock,
      accept: () => !arrival.over && this.#begin(conn, started),
    });
    if (answer !== "accepted") throw answer.error;
    arrival.end("closed");
  }

  /** From now on the port is the client's. */
  #begin(conn: Conn, started: number): boolean {
    const { config, runtime, logger } = this.context;
    if (this.#pairing !== null || this.closing) return false;
    const host = normalizeIp(conn.remote.host);
    const pairing: Pairing = this.#pairing = new Pairing({
      context: this.context,
      end: this.#flow === "reverse" ? "ingress" : "egress",
      tls: config.tls.kind !== "plain",
      maxReady: config.maxLinks,
      host,
      egress: this.#egress,
      connected: (control) => {
        late.cancel();
        const ms = Math.round(runtime.clock.now() - started);
        logger.info(
          `Tunnel handshaked: ${formatAddress(control.local)} <-> ${formatAddress(control.remote)} in ${ms}ms`,
        );
      },
      opened: () => {
        if (this.#flow === "reverse") this.#matchmaker.add(pairing.links);
      },
      changed: () => this.#matchmaker.offer(),
      announced: () => {},
      spurned: () => {},
    });
    const release = this.#door!.vouch(host);
    const late = runtime.clock.after(config.settings.handshakeTimeoutMs, () => {
      pairing.end(new NodePassError("timed_out", "Client opened no control connection after its handshake"));
    });
    void pairing.finished.then((error) => {
      late.cancel();
      release();
      this.#ended(pairing, error);
    });
    return true;
  }

  #ended(pairing: Pairing, error: NodePassError): void {
    this.#pairing = null;
    this.#matchmaker.remove(pairing.links);
    this.#former.add(pairing);
    if (this.closing) return;
    const { logger } = this.context;
    if (error.code === "certificate" || error.code === "protocol") logger.error(`Server error: ${error.message}`);
    logger.info(`Client disconnected: ${pairing.address}`, { reason: error.message });
  }

  /** A connection of the client: it gets a name, the first one that of the control connection. */
  async #link({ conn, seen }: Arrived, pairing: Pairing, arrival: Arrival): Promise<void> {
    if (pairing.over || pairing.links.ready >= this.context.config.maxLinks) return void arrival.end("closed");
    const control = pairing.claimControl();
    const id = control ? CONTROL_ID : newLinkId(this.context.runtime.random, pairing.links);
    try {
      await writeAll(conn, parseId(id)!);
      if (!arrival.end("taken")) throw new NodePassError("closed", "Connection was given up");
    } catch (error) {
      // Nothing goes on without it: the client is to start anew.
      if (control) pairing.end(this.context.runtime.toError(error));
      throw error;
    }
    if (control) pairing.connect(conn);
    else pairing.add(conn, id, seen);
  }
}
