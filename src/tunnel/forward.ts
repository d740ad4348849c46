/**
 * Single-end forwarding: visitors of the tunnel address are joined with a target directly, without a server.
 *
 * @module
 */
import { formatAddress } from "../address/ip.ts";
import { NodePassError } from "../errors.ts";
import { exchange } from "../relay/exchange.ts";
import type { Conn } from "../runtime/types.ts";
import type { TunnelContext } from "./context.ts";
import { drainSessions } from "./drain.ts";
import { type Entry, openEntry } from "./entry.ts";
import { Instance, type InstanceOptions, type InstanceState } from "./instance.ts";
import type { Session } from "./session_ledger.ts";
import { Targets } from "./targets.ts";
import type { TunnelHandle } from "./types.ts";
import { openUdpTarget } from "./udp_egress.ts";

/**
 * Listens on the tunnel address and serves visitors until it is closed. The context stays its owner's.
 *
 * @throws NodePassError when the tunnel address cannot be bound
 */
export async function startForwarder(context: TunnelContext, options: InstanceOptions = {}): Promise<TunnelHandle> {
  const forwarder = new Forwarder(context);
  await forwarder.open(options);
  return forwarder;
}

class Forwarder extends Instance {
  readonly #targets: Targets;
  readonly #cutDials = new AbortController();
  #entry: Entry | null = null;

  constructor(context: TunnelContext) {
    super(context);
    this.#targets = new Targets(context);
  }

  get addr(): TunnelHandle["addr"] {
    return this.entries[0] ?? null;
  }

  get entries(): TunnelHandle["entries"] {
    return this.#entry?.addresses ?? [];
  }

  async open(options: InstanceOptions): Promise<void> {
    const context = this.context;
    this.#entry = await openEntry(context, [context.config.tunnel], {
      tcp: (visitor, session) => this.#serve(visitor, session),
      udp: {
        pathMeters: true,
        open: (visitor, session, reply) => openUdpTarget(context, this.#targets, visitor, session, reply),
      },
    });
    if (this.first) {
      context.logger.info("Forwarding visitors", {
        listening: this.#entry.addresses.map(formatAddress).join(","),
        targets: context.config.targets.map(formatAddress).join(","),
      });
    }
    this.startReports(options);
  }

  protected state(): InstanceState {
    return { mode: "single", modeCode: 1, pingMs: 0, pool: 0, peers: [] };
  }

  reload(): Promise<void> {
    return Promise.resolve();
  }

  protected portsFree(): Promise<unknown> {
    return Promise.resolve(this.#entry?.finished);
  }

  protected async shutDown(graceMs: number): Promise<void> {
    this.#entry?.close();
    await drainSessions(this.context, graceMs, () => this.#cutDials.abort());
    await this.#entry?.finished;
  }

  async #serve(visitor: Conn, session: Session): Promise<string> {
    const { config, inbound, ledger, outbound, runtime, sweeper } = this.context;
    let cut = false;
    session.cut = () => {
      cut = true;
      visitor.reset();
    };
    let target: Conn;
    try {
      target = await this.#targets.dial(visitor.remote, session, this.#cutDials.signal);
    } catch (error) {
      visitor.reset();
      if (cut) return "cut";
      ledger.reject("dial");
      const reason = runtime.toError(error).message;
      if (!(error instanceof NodePassError && error.code === "closed")) {
        this.context.visitorLog.warn("Cannot serve visitor", { visitor: session.visitor, reason });
      }
      return reason;
    }
    if (cut) {
      target.reset();
      return "cut";
    }
    return await exchange(visitor, target, {
      session,
      clock: runtime.clock,
      maxBufferBytes: config.settings.tcpBufferBytes,
      inbound,
      outbound,
      sweeper,
      idleMs: config.readMs,
    });
  }
}
