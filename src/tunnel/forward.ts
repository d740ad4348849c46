/**
 * Single-end forwarding: visitors of the tunnel address are joined with a target directly, without a server.
 *
 * @module
 */
import { formatAddress } from "../address/ip.ts";
import { NodePassError } from "../errors.ts";
import { limited, type LimitedLogger } from "../log/limited.ts";
import { exchange } from "../relay/exchange.ts";
import type { Conn } from "../runtime/types.ts";
import { startCheckpoints } from "./checkpoint.ts";
import type { TunnelContext } from "./context.ts";
import { drainSessions } from "./drain.ts";
import { type Entry, openEntry } from "./entry.ts";
import type { Session } from "./session_ledger.ts";
import { Targets } from "./targets.ts";
import type { TunnelHandle, TunnelStats } from "./types.ts";
import { openUdpTarget } from "./udp_egress.ts";

/** Lines about visitors whose target cannot be reached. */
const FAILURE_LINES_PER_SECOND = 5;

/** Options of {@linkcode startForwarder}. */
export interface ForwarderOptions {
  /** Receives the state at each report interval. */
  readonly onReport?: ((stats: TunnelStats) => void) | undefined;
}

/**
 * Listens on the tunnel address and serves visitors until it is closed. The context stays its owner's.
 *
 * @throws NodePassError when the tunnel address cannot be bound
 */
export async function startForwarder(context: TunnelContext, options: ForwarderOptions = {}): Promise<TunnelHandle> {
  const forwarder = new Forwarder(context);
  await forwarder.open(options);
  return forwarder;
}

class Forwarder implements TunnelHandle {
  readonly finished: Promise<void>;
  readonly #context: TunnelContext;
  readonly #targets: Targets;
  readonly #failures: LimitedLogger;
  readonly #cutDials = new AbortController();
  readonly #resolveFinished: () => void;
  #entry: Entry | null = null;
  #stopCheckpoints: () => void = () => {};
  #closing: Promise<void> | null = null;

  constructor(context: TunnelContext) {
    this.#context = context;
    this.#targets = new Targets(context);
    this.#failures = limited(context.logger, FAILURE_LINES_PER_SECOND, () => context.runtime.clock.now());
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    this.#resolveFinished = resolve;
  }

  get addr(): TunnelHandle["addr"] {
    return this.entries[0] ?? null;
  }

  get entries(): TunnelHandle["entries"] {
    return this.#entry?.addresses ?? [];
  }

  async open(options: ForwarderOptions): Promise<void> {
    const context = this.#context;
    this.#entry = await openEntry(context, [context.config.tunnel], {
      tcp: (visitor, session) => this.#serve(visitor, session),
      udp: {
        pathMeters: true,
        open: (visitor, session, reply) => openUdpTarget(context, this.#targets, visitor, session, reply),
      },
    });
    context.logger.info("Forwarding visitors", {
      listening: this.#entry.addresses.map(formatAddress).join(","),
      targets: context.config.targets.map(formatAddress).join(","),
    });
    this.#stopCheckpoints = startCheckpoints(context, { stats: () => this.stats(), onReport: options.onReport });
  }

  stats(): TunnelStats {
    const { tcp, udp, traffic, rejections } = this.#context.ledger;
    return {
      mode: "single",
      modeCode: 1,
      pingMs: 0,
      pool: 0,
      tcpSessions: tcp,
      udpSessions: udp,
      ...traffic,
      rejections: { ...rejections },
      peers: [],
    };
  }

  sessions(): ReturnType<TunnelHandle["sessions"]> {
    return this.#context.ledger.list();
  }

  endSession(id: string): boolean {
    return this.#context.ledger.cut(id);
  }

  reload(): Promise<void> {
    return Promise.resolve();
  }

  close(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#drain(options.graceMs ?? this.#context.config.settings.shutdownTimeoutMs);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #drain(graceMs: number): Promise<void> {
    this.#entry?.close();
    await drainSessions(this.#context, graceMs, () => this.#cutDials.abort());
    await this.#entry?.finished;
    this.#stopCheckpoints();
    this.#failures.flush();
    this.#resolveFinished();
  }

  async #serve(visitor: Conn, session: Session): Promise<string> {
    const { config, inbound, ledger, outbound, runtime, sweeper } = this.#context;
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
        this.#failures.warn("Cannot serve visitor", { visitor: session.visitor, reason });
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
