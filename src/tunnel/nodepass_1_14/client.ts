/**
 * The tunnel client of the dialect of Go NodePass 1.14.
 *
 * @module
 */
import { formatAddress } from "../../address/ip.ts";
import type { ClientConfig } from "../../config/types.ts";
import { NodePassError } from "../../errors.ts";
import type { RawLink } from "../../wire/nodepass_1_14/raw_link.ts";
import type { TunnelContext } from "../context.ts";
import { DialingClient, startDialing } from "../dialing_client.ts";
import { drainSessions } from "../drain.ts";
import { Egress } from "../egress.ts";
import { Ingress } from "../ingress.ts";
import type { InstanceOptions, InstanceState } from "../instance.ts";
import { Matchmaker } from "../pool/matchmaker.ts";
import { Targets } from "../targets.ts";
import type { TunnelHandle } from "../types.ts";
import { FormerPairings } from "./former_pairings.ts";
import { LinkSupply } from "./link_supply.ts";
import { Pairing } from "./pairing.ts";
import { type AskedTerms, ServerCalls114 } from "./server_calls.ts";
import { DatagramLinks } from "./waiting_datagrams.ts";

/** Resolves after the first attempt to reach the server, whether it succeeded or will be repeated. */
export async function startTunnelClient114(
  context: TunnelContext<ClientConfig>,
  options: InstanceOptions = {},
): Promise<TunnelHandle> {
  if (context.config.transport !== "tcp") {
    throw new NodePassError("not_supported", "Cannot run links on WebSockets with wire=1.14: take type out of the URL");
  }
  return await startDialing(new TunnelClient114(context), options);
}

class TunnelClient114 extends DialingClient {
  readonly #calls: ServerCalls114;
  readonly #matchmaker: Matchmaker<RawLink>;
  readonly #ingress: Ingress;
  readonly #egress: Egress;
  readonly #cutDials = new AbortController();
  readonly #former: FormerPairings;
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
    this.#former = new FormerPairings(sweeper);
  }

  protected state(): InstanceState {
    const peers = this.#pairing?.connected ? [this.#pairing.info()] : [];
    return {
      mode: this.flow,
      modeCode: 2,
      pingMs: peers[0]?.pingMs ?? 0,
      pool: peers[0]?.pool ?? 0,
      peers,
    };
  }

  protected override reloadRoots(): Promise<boolean> {
    return this.#calls.reload();
  }

  protected async shutDown(graceMs: number): Promise<void> {
    this.entry?.close();
    this.#supply?.stop();
    this.#matchmaker.close();
    // The server has no word for a client that goes away; without links it announces nobody.
    if (this.flow === "reverse") this.#pairing?.flush();
    await drainSessions(this.context, graceMs, () => this.#cutDials.abort());
    this.stopped.abort();
    this.#pairing?.close();
    this.#former.close();
    await this.running;
    await this.entry?.finished;
  }

  protected override get over(): boolean {
    return this.closing;
  }

  /** One handshake and what follows from it. */
  protected override async serve(connected: () => void): Promise<NodePassError> {
    const { clock } = this.context.runtime;
    const started = clock.now();
    const asked = await this.#calls.handshake(this.stopped.signal);
    this.turn(asked.terms.flow);
    await this.openEntryOnce(this.#ingress.handlers);
    if (this.closing) return new NodePassError("closed", "Tunnel is closing");
    let connectedAt = Infinity;
    const pairing = this.#pair(asked, started, () => {
      connectedAt = clock.now();
      connected();
    });
    this.#pairing = pairing;
    const supply = this.#supply = new LinkSupply(this.context, asked, this.#calls, pairing, this.stopped.signal);
    supply.start();
    const ended = await pairing.finished;
    supply.stop();
    this.#pairing = this.#supply = null;
    this.#matchmaker.remove(pairing.links);
    this.#former.add(pairing);
    this.lived(connectedAt);
    return ended;
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
