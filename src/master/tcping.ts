/**
 * Dialling a target once on behalf of a client of the API.
 *
 * @module
 */
import { formatAddress, isIp, isLinkLocal } from "../address/ip.ts";
import { type ErrorCode, messageOf, NodePassError } from "../errors.ts";
import type { Settings } from "../config/types.ts";
import type { Runtime } from "../runtime/types.ts";
import type { TcpingResult } from "./parts.ts";

/** Dials at once. */
const SLOTS = 10;
/** How long one more waits for a slot. */
const WAIT_MS = 1_000;
/** How long one dial may take, its name included. */
const DIAL_MS = 5_000;

/** Reasons in the words of other masters. */
const REASONS: Partial<Record<ErrorCode, string>> = {
  connection_refused: "connect: connection refused",
  connection_reset: "connect: connection reset by peer",
  unreachable: "connect: no route to host",
  timed_out: "i/o timeout",
  permission_denied: "connect: permission denied",
  address_not_available: "connect: cannot assign requested address",
};

/** What the dials need. */
export interface TcpingOptions {
  readonly runtime: Pick<Runtime, "net" | "dns" | "clock" | "toError">;
  readonly settings: Pick<Settings, "allowLinkLocal">;
}

/** The dial of `/tcping`: ten at a time; never rejects, what failed is in the answer. */
export function createTcping(options: TcpingOptions): (target: string) => Promise<TcpingResult> {
  const slots = new Slots(options.runtime);
  return async (target) => {
    if (!await slots.enter()) return { target, connected: false, latency: 0, error: "too many requests" };
    const { clock } = options.runtime;
    try {
      const latency = await dial(target, clock.now() + DIAL_MS, options);
      return { target, connected: true, latency: Math.max(0, Math.round(latency)), error: null };
    } catch (error) {
      return { target, connected: false, latency: 0, error: messageOf(error) };
    } finally {
      slots.leave();
    }
  };
}

/** Milliseconds that the connection took. */
async function dial(target: string, deadline: number, { runtime, settings }: TcpingOptions): Promise<number> {
  const { net, clock } = runtime;
  const { host, port } = addressOf(target);
  const addresses = await resolve(host, deadline, runtime);
  let failure = new Error(`dial tcp: lookup ${host}: no such host`);
  for (const [index, ip] of addresses.entries()) {
    const where = formatAddress({ host: ip, port });
    // Looked at here and not where the name was read: a name can lead anywhere.
    if (isLinkLocal(ip) && !settings.allowLinkLocal) {
      failure = new Error(`dial tcp ${where}: link-local targets are refused (NP_ALLOW_LINK_LOCAL=1 allows them)`);
      continue;
    }
    const startedAt = clock.now();
    const timeoutMs = Math.ceil((deadline - startedAt) / (addresses.length - index));
    if (timeoutMs <= 0) throw new Error(`dial tcp ${where}: i/o timeout`);
    try {
      const conn = await net.connect({ host: ip, port, timeoutMs });
      conn.close();
      return clock.now() - startedAt;
    } catch (error) {
      const { code, message } = runtime.toError(error);
      failure = new Error(`dial tcp ${where}: ${REASONS[code] ?? message}`);
    }
  }
  throw failure;
}

async function resolve(
  host: string,
  deadline: number,
  { dns, clock }: TcpingOptions["runtime"],
): Promise<readonly string[]> {
  if (host === "") return ["127.0.0.1"];
  if (isIp(host)) return [host];
  const late = Promise.withResolvers<never>();
  const timer = clock.after(Math.max(0, deadline - clock.now()), () => late.reject(new Error(`i/o timeout`)));
  try {
    return await Promise.race([dns.resolve(host), late.promise]);
  } catch (error) {
    const reason = error instanceof NodePassError && error.code === "name_not_found"
      ? "no such host"
      : messageOf(error);
    throw new Error(`dial tcp: lookup ${host}: ${reason}`);
  } finally {
    timer.cancel();
  }
}

function addressOf(target: string): { readonly host: string; readonly port: number } {
  const match = /^(\[[^\][]*\]|[^:[\]]*):([^:]*)$/.exec(target);
  if (match === null) {
    const colons = target.split(":").length - 1;
    const problem = colons > 1 && !target.startsWith("[") ? "too many colons in address" : "missing port in address";
    throw new Error(`dial tcp: address ${target}: ${problem}`);
  }
  const [, host = "", digits = ""] = match;
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : NaN;
  if (!(port >= 1 && port <= 65_535)) throw new Error(`dial tcp: address ${digits}: invalid port`);
  return { host: host.replace(/^\[|\]$/g, ""), port };
}

/** A number of places, and a short queue for them. */
class Slots {
  readonly #clock: Runtime["clock"];
  readonly #waiting: (() => void)[] = [];
  #free = SLOTS;

  constructor({ clock }: Pick<Runtime, "clock">) {
    this.#clock = clock;
  }

  /** False when no place came free in time. */
  enter(): Promise<boolean> {
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const timer = this.#clock.after(WAIT_MS, () => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        resolve(false);
      });
      const enter = (): void => {
        timer.cancel();
        resolve(true);
      };
      this.#waiting.push(enter);
    });
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
