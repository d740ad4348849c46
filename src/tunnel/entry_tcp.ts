/**
 * Visitors of one TCP port: accepted without ever waiting for one of them.
 *
 * @module
 */
import { formatAddress, normalizeIp } from "../address/ip.ts";
import { Access } from "../relay/access.ts";
import { sniff } from "../relay/sniff.ts";
import type { Conn, Listener, SocketAddress } from "../runtime/types.ts";
import type { TunnelContext } from "./context.ts";
import { logSessionEnd, logSessionStart } from "./entry_log.ts";
import { RetryPause } from "./entry_pause.ts";
import type { Session } from "./session_ledger.ts";

/**
 * Serves one visitor and closes its socket on every path out; the entry frees the session afterwards.
 *
 * @returns why the session ended, for the log
 */
export type TcpHandler = (visitor: Conn, session: Session) => Promise<string | void> | string | void;

/** One listening TCP port. */
export class TcpEntry {
  /** Resolves once the port is free. */
  readonly finished: Promise<void>;
  readonly #context: TunnelContext;
  readonly #listener: Listener;
  readonly #handler: TcpHandler;
  readonly #starved: (() => void) | undefined;
  readonly #access: Access;
  readonly #pause: RetryPause;
  #closed = false;

  /** @param starved called when the system has no room for another visitor */
  constructor(context: TunnelContext, listener: Listener, handler: TcpHandler, starved?: () => void) {
    this.#context = context;
    this.#listener = listener;
    this.#handler = handler;
    this.#starved = starved;
    this.#access = new Access(context.config.allow, context.config.deny);
    this.#pause = new RetryPause(context);
    this.finished = this.#accept();
  }

  get local(): SocketAddress {
    return this.#listener.local;
  }

  /** Accepts nothing more; sessions go on. */
  close(): void {
    this.#closed = true;
    this.#pause.cancel();
    this.#listener.close();
  }

  async #accept(): Promise<void> {
    while (!this.#closed) {
      try {
        const visitor = await this.#listener.accept();
        if (visitor === null) return;
        this.#admit(visitor);
      } catch (error) {
        if (this.#closed) return;
        if (this.#context.runtime.toError(error).code === "limit") this.#starved?.();
        await this.#pause.after(error, "Cannot accept visitors");
      }
    }
  }

  #admit(visitor: Conn): void {
    const { ledger } = this.#context;
    const address = {
      host: visitor.remote.host.includes(":") ? normalizeIp(visitor.remote.host) : visitor.remote.host,
      port: visitor.remote.port,
    };
    if (this.#closed) return visitor.close();
    if (!this.#access.permits(address.host)) {
      ledger.reject("denied");
      return visitor.close();
    }
    const session = ledger.open("tcp", formatAddress(address));
    if (session === null) return visitor.close();
    session.cut = () => visitor.reset();
    void this.#serve(sniff(visitor, this.#context.config.block, () => ledger.reject("blocked")), session);
  }

  async #serve(visitor: Conn, session: Session): Promise<void> {
    const context = this.#context;
    logSessionStart(context, session);
    let reason = "done";
    try {
      reason = (await this.#handler(visitor, session)) ?? reason;
    } catch (error) {
      reason = context.runtime.toError(error).message;
      visitor.reset();
    } finally {
      session.close();
      logSessionEnd(context, session, reason);
    }
  }
}
