/**
 * IPinfo: one address a request, a quota for the token.
 *
 * @module
 */
import { normalizeIp } from "../../address/ip.ts";
import { ask, type AskOptions, type Reply, retryAfterOf } from "./asking.ts";
import { anyOf, countryCode, degrees, infoOf, network, record, text } from "./fields.ts";
import type { IpInfo, IpInfoError, IpInfoProvider } from "./types.ts";

const HOST = "https://ipinfo.io";
const MAX_BATCH = 64;
const PARALLEL = 8;
const MAX_BYTES = 64 * 1024;
/** Where it does not say how long. */
const WINDOW_MS = 60_000;
/** A token that is refused now is refused in a minute, too. */
const REFUSED_MS = 600_000;

/** Asks IPinfo. */
export class Ipinfo implements IpInfoProvider {
  readonly name = "ipinfo";
  readonly maxBatch: number = MAX_BATCH;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #options: AskOptions;
  #allowedAt = 0;

  /** @param token null: the few requests that everybody has */
  constructor(token: string | null, options: AskOptions) {
    this.#headers = token === null ? {} : { Authorization: `Bearer ${token}` };
    this.#options = options;
  }

  nextAllowedAt(): number {
    return this.#allowedAt;
  }

  async lookup(ips: readonly string[], signal: AbortSignal): Promise<Map<string, IpInfo | IpInfoError>> {
    const answers = new Map<string, IpInfo | IpInfoError>();
    const left = ips.values();
    let trouble: string | null = null;
    await Promise.all(Array.from({ length: PARALLEL }, async () => {
      // One refusal stands for the others: none of them is sent.
      for (const ip of left) {
        if (trouble !== null) break;
        const answer = await this.#one(ip, signal);
        answers.set(ip, answer);
        if ("error" in answer && !answer.final) trouble = answer.error;
      }
    }));
    const error = trouble ?? "not asked";
    return new Map(ips.map((ip) => [ip, answers.get(ip) ?? { error, final: false }]));
  }

  async #one(ip: string, signal: AbortSignal): Promise<IpInfo | IpInfoError> {
    const url = `${this.#options.base ?? HOST}/${encodeURIComponent(ip)}/json`;
    const reply = await ask({ url, headers: this.#headers, maxBytes: MAX_BYTES, signal }, this.#options);
    const trouble = this.#heed(reply);
    if (trouble !== null) return { error: trouble, final: false };
    if ("trouble" in reply || reply.status !== 200) return { error: "not found", final: true };
    return answerOf(ip, record(reply.value), this.#options.runtime.clock.wall());
  }

  /** Why the provider cannot be asked now; null when it did its work. */
  #heed(reply: Reply): string | null {
    if ("trouble" in reply) return reply.trouble;
    const { clock } = this.#options.runtime;
    const { status } = reply;
    if (status === 429) {
      this.#wait(retryAfterOf(reply.header("retry-after"), clock) ?? WINDOW_MS);
      return "the quota is used up";
    }
    if (status === 401 || status === 403) {
      this.#wait(REFUSED_MS);
      return "the token is not accepted";
    }
    return status === 200 || status === 400 || status === 404 || status === 422 ? null : `status ${status}`;
  }

  #wait(ms: number): void {
    this.#allowedAt = Math.max(this.#allowedAt, this.#options.runtime.clock.wall() + ms);
  }
}

function answerOf(ip: string, body: Readonly<Record<string, unknown>>, now: number): IpInfo | IpInfoError {
  if (typeof body.ip !== "string" || normalizeIp(body.ip) !== ip) {
    return { error: "the answer is for another address", final: true };
  }
  if (body.bogon === true) return infoOf({ bogon: true }, "ipinfo", now);
  const [lat, lon] = typeof body.loc === "string" ? body.loc.split(",", 2) : [];
  const [plain, asn, company] = [network(body.org), record(body.asn), record(body.company)];
  const { vpn, proxy, tor, relay, hosting } = record(body.privacy);
  return infoOf(
    {
      countryCode: countryCode(body.country),
      region: text(body.region),
      city: text(body.city),
      lat: degrees(lat, 90),
      lon: degrees(lon, 180),
      timezone: text(body.timezone),
      postal: text(body.postal),
      asn: network(asn.asn).asn ?? plain.asn,
      org: text(company.name) ?? text(asn.name) ?? plain.org,
      isp: text(asn.name),
      hostname: text(body.hostname),
      mobile: body.carrier === undefined ? undefined : text(record(body.carrier).name) !== undefined,
      proxy: anyOf(vpn, proxy, tor, relay),
      hosting: anyOf(hosting),
    },
    "ipinfo",
    now,
  );
}
