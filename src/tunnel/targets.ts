/**
 * Reaching the targets of an instance: choice, names, failover, source address, PROXY header.
 *
 * @module
 */
import { formatAddress, isIp, isLinkLocal, normalizeIp } from "../address/ip.ts";
import { type ErrorCode, messageOf, NodePassError } from "../errors.ts";
import { encodeProxyHeader } from "../relay/proxy_header.ts";
import { writeAll } from "../relay/write_all.ts";
import type { Conn, SocketAddress } from "../runtime/types.ts";
import type { TunnelContext } from "./context.ts";
import { DnsCache } from "./dns_cache.ts";
import type { Session } from "./session_ledger.ts";
import { type Target, TargetOrder } from "./target_order.ts";

/** A target chosen for a UDP session. */
export interface PickedTarget {
  /** Where its datagrams go and must come from. */
  readonly address: SocketAddress;
  /** `host:port` as configured, for people. */
  readonly target: string;
  /** Ends the session's share in the balance. Idempotent. */
  release(): void;
}

/** One attempt that failed. */
interface Failure {
  readonly where: string;
  readonly reason: string;
  readonly error: NodePassError;
}

const REASONS: Partial<Record<ErrorCode, string>> = {
  connection_refused: "connection refused",
  connection_reset: "connection reset",
  unreachable: "no route",
  timed_out: "timed out",
  name_not_found: "name not found",
  permission_denied: "permission denied",
  address_not_available: "address not available",
};

/** Dials the targets of one instance. Holds no socket and no timer of its own between calls. */
export class Targets {
  readonly #context: TunnelContext;
  readonly #order: TargetOrder;
  readonly #dns: DnsCache;
  #dialFrom: string | null;
  /** Targets given as an address, once it is known to be allowed. */
  readonly #literals = new Map<Target, readonly string[]>();

  constructor(context: TunnelContext) {
    const { config, runtime } = context;
    this.#context = context;
    this.#order = new TargetOrder(config.targets, config.balance, runtime.clock);
    this.#dns = new DnsCache(runtime.dns, runtime.clock, config.dnsTtlMs);
    this.#dialFrom = config.dialFrom;
  }

  /**
   * Connects a TCP session to a target and names it in `session.target`; the PROXY header is already written.
   *
   * All targets are tried, best first, within one dial timeout. The session counts for its target until it closes.
   *
   * @throws {NodePassError} when none can be reached; `closed` when `signal` aborts
   */
  async dial(visitor: SocketAddress, session: Session, signal?: AbortSignal): Promise<Conn> {
    const { clock } = this.#context.runtime;
    const deadline = clock.now() + this.#context.config.settings.tcpDialTimeoutMs;
    const failures: Failure[] = [];
    const candidates = this.#order.candidates(visitor.host);
    let left = candidates.length;
    for (const target of candidates) {
      const now = clock.now();
      // A target that does not answer may use its share of the time alone, so that the others get theirs.
      const conn = await this.#dialTarget(target, visitor, now + (deadline - now) / left--, failures, signal);
      if (conn === null) {
        this.#order.failed(target);
        continue;
      }
      this.#order.worked(target);
      session.target = target.name;
      target.sessions++;
      session.onClose = () => target.sessions--;
      return conn;
    }
    throw unreachable(failures);
  }

  /**
   * Chooses the target of a UDP session and resolves it. Nothing is sent.
   *
   * @throws {NodePassError} when no target has a usable address
   */
  async pickAddress(visitor: SocketAddress): Promise<PickedTarget> {
    const { clock } = this.#context.runtime;
    const deadline = clock.now() + this.#context.config.settings.udpDialTimeoutMs;
    const failures: Failure[] = [];
    for (const target of this.#order.candidates(visitor.host)) {
      const host = (await this.#addressesOf(target, deadline, failures))[0];
      if (host === undefined) {
        this.#order.failed(target);
        continue;
      }
      this.#order.worked(target);
      target.sessions++;
      let held = true;
      const release = (): void => {
        if (held) target.sessions--;
        held = false;
      };
      return { address: { host, port: target.port }, target: target.name, release };
    }
    throw unreachable(failures);
  }

  /** Tries every address of one target; null (and entries in `failures`) when none answered. */
  async #dialTarget(
    target: Target,
    visitor: SocketAddress,
    deadline: number,
    failures: Failure[],
    signal: AbortSignal | undefined,
  ): Promise<Conn | null> {
    const { clock } = this.#context.runtime;
    const addresses = await this.#addressesOf(target, deadline, failures, signal);
    if (signal?.aborted) throw ended(target, undefined);
    let left = addresses.length;
    for (const host of addresses) {
      const address = { host, port: target.port };
      const timeoutMs = Math.ceil((deadline - clock.now()) / left--);
      let conn: Conn | null = null;
      try {
        if (timeoutMs <= 0) throw new NodePassError("timed_out", `Cannot dial ${formatAddress(address)}: timed out`);
        conn = await this.#connect(address, timeoutMs, signal);
        const { proxy } = this.#context.config;
        if (proxy !== "none") await writeAll(conn, encodeProxyHeader(proxy, "tcp", visitor, conn.remote));
        return conn;
      } catch (error) {
        conn?.close();
        if (signal?.aborted) throw ended(target, error);
        failures.push(this.#failure(formatAddress(address), error));
      }
    }
    if (target.loopback === null) this.#dns.drop(target.host);
    return null;
  }

  async #connect(address: SocketAddress, timeoutMs: number, signal: AbortSignal | undefined): Promise<Conn> {
    const { net } = this.#context.runtime;
    const options = { ...address, timeoutMs, ...(signal === undefined ? {} : { signal }) };
    const localHost = this.#dialFrom;
    if (localHost === null) return await net.connect(options);
    try {
      if (localHost.includes(":") !== address.host.includes(":")) {
        throw new NodePassError("address_not_available", `no ${address.host.includes(":") ? "IPv6" : "IPv4"} address`);
      }
      return await net.connect({ ...options, localHost });
    } catch (error) {
      if (!(error instanceof NodePassError) || error.code !== "address_not_available") throw error;
      if (this.#dialFrom !== null) {
        this.#dialFrom = null;
        const reason = messageOf(error);
        this.#context.logger.error("Cannot dial from the configured source address, using any", { localHost, reason });
      }
      return await net.connect(options);
    }
  }

  /** The addresses of a target that may be dialled, in order; [] (and an entry in `failures`) when there is none. */
  async #addressesOf(
    target: Target,
    deadline: number,
    failures: Failure[],
    signal?: AbortSignal,
  ): Promise<readonly string[]> {
    const known = target.loopback ?? this.#literals.get(target);
    if (known !== undefined) return known;
    let addresses: readonly string[];
    try {
      addresses = isIp(target.host) ? [target.host] : await this.#lookUp(target.host, deadline, signal);
    } catch (error) {
      failures.push(this.#failure(target.name, error));
      return [];
    }
    // Checked on the resolved address: a name may point at the metadata service of a cloud.
    if (this.#context.config.settings.allowLinkLocal) return this.#sourceFamilyFirst(addresses);
    const allowed = addresses.filter((ip) => !isLinkLocal(normalizeIp(ip)));
    if (allowed.length === 0) {
      const reason = "link-local addresses are refused unless NP_ALLOW_LINK_LOCAL=1";
      failures.push({ where: target.name, reason, error: new NodePassError("permission_denied", reason) });
      this.#dns.drop(target.host);
    }
    if (allowed.length > 0 && isIp(target.host)) this.#literals.set(target, allowed);
    return this.#sourceFamilyFirst(allowed);
  }

  #failure(where: string, thrown: unknown): Failure {
    const error = this.#context.runtime.toError(thrown);
    return { where, reason: REASONS[error.code] ?? error.message, error };
  }

  #sourceFamilyFirst(addresses: readonly string[]): readonly string[] {
    const from = this.#dialFrom;
    if (from === null || addresses.length < 2) return addresses;
    const matching = addresses.filter((ip) => ip.includes(":") === from.includes(":"));
    return matching.length === 0 ? addresses : matching;
  }

  async #lookUp(name: string, deadline: number, signal?: AbortSignal): Promise<readonly string[]> {
    const { clock } = this.#context.runtime;
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = clock.after(Math.max(0, deadline - clock.now()), () => {
      reject(new NodePassError("timed_out", `Cannot resolve ${name}: timed out`));
    });
    const cut = (): void => reject(new NodePassError("closed", `Cannot resolve ${name}: session ended`));
    signal?.addEventListener("abort", cut);
    try {
      return await Promise.race([this.#dns.resolve(name), late]);
    } finally {
      signal?.removeEventListener("abort", cut);
      timer.cancel();
    }
  }
}

function ended(target: Target, cause: unknown): NodePassError {
  return new NodePassError("closed", `Cannot dial ${target.name}: session ended`, { cause });
}

function unreachable(failures: readonly Failure[]): NodePassError {
  const last = failures.at(-1)?.error;
  const same = failures.every((failure) => failure.error.code === last?.code);
  const text = failures.map(({ where, reason }) => `${where}: ${reason}`).join("; ");
  return new NodePassError(same && last ? last.code : "unreachable", `Cannot reach any target: ${text}`, {
    cause: last,
  });
}
