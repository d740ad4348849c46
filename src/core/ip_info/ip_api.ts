/**
 * ip-api: a hundred addresses a request, fifteen requests a minute without a key (plain HTTP, not for commerce).
 *
 * @module
 */
import { normalizeIp } from "../../address/ip.ts";
import { ask, type AskOptions, type Reply, retryAfterOf, secondsOf } from "./asking.ts";
import { countryCode, degrees, flag, infoOf, network, record, text } from "./fields.ts";
import type { IpInfo, IpInfoError, IpInfoProvider } from "./types.ts";

const FREE = "http://ip-api.com";
const PAID = "https://pro.ip-api.com";
const MAX_BATCH = 100;
const MAX_BYTES = 512 * 1024;
const FIELDS =
  "status,message,country,countryCode,regionName,city,zip,lat,lon,timezone,isp,org,as,reverse,mobile,proxy," +
  "hosting,query";
/** Fifteen requests a minute, where no header says better. */
const PACE_MS = 4_000;
const WINDOW_MS = 60_000;
/** Headers count whole seconds. */
const ROUNDING_MS = 1_000;

/** Asks ip-api. */
export class IpApi implements IpInfoProvider {
  readonly name = "ip-api";
  readonly maxBatch: number = MAX_BATCH;
  readonly #key: string | null;
  readonly #options: AskOptions;
  #allowedAt = 0;

  /** @param key of a paid plan; the free one without */
  constructor(key: string | null, options: AskOptions) {
    this.#key = key;
    this.#options = options;
  }

  nextAllowedAt(): number {
    return this.#allowedAt;
  }

  async lookup(ips: readonly string[], signal: AbortSignal): Promise<Map<string, IpInfo | IpInfoError>> {
    const base = this.#options.base ?? (this.#key === null ? FREE : PAID);
    // The only place where it takes a key is the URL; nothing writes that down.
    const key = this.#key === null ? "" : `&key=${encodeURIComponent(this.#key)}`;
    const url = `${base}/batch?fields=${FIELDS}${key}`;
    const reply = await ask({ url, body: ips, maxBytes: MAX_BYTES, signal }, this.#options);
    this.#heed(reply);
    const list = listOf(reply, ips.length);
    if (typeof list === "string") return new Map(ips.map((ip) => [ip, { error: list, final: false }]));
    const rows = new Map(
      list.map(record).map((row) => [typeof row.query === "string" ? normalizeIp(row.query) : "", row]),
    );
    const now = this.#options.runtime.clock.wall();
    return new Map(ips.map((ip) => [ip, answerOf(rows.get(ip), now)]));
  }

  /** Being asked in a closed window makes it lock the address of Core out for good. */
  #heed(reply: Reply): void {
    const { clock } = this.#options.runtime;
    const now = clock.wall();
    if ("trouble" in reply) {
      // Whether it counted the request is not known.
      if (this.#key === null) this.#allowedAt = now + PACE_MS;
      return;
    }
    const left = reply.header("x-rl");
    const window = secondsOf(reply.header("x-ttl"));
    if (reply.status === 429) {
      this.#allowedAt = now + ROUNDING_MS + (window ?? retryAfterOf(reply.header("retry-after"), clock) ?? WINDOW_MS);
    } else if (left !== undefined && /^\d{1,9}$/.test(left)) {
      this.#allowedAt = Number(left) > 0 ? 0 : now + ROUNDING_MS + (window ?? WINDOW_MS);
    } else {
      this.#allowedAt = this.#key === null ? now + PACE_MS : 0;
    }
  }
}

/** The rows, or why there are none. */
function listOf(reply: Reply, length: number): readonly unknown[] | string {
  if ("trouble" in reply) return reply.trouble;
  if (reply.status === 429) return "too many requests";
  if (reply.status !== 200) return `status ${reply.status}`;
  if (Array.isArray(reply.value) && reply.value.length === length) return reply.value;
  return "the answer is not a list of what was asked for";
}

function answerOf(row: Readonly<Record<string, unknown>> | undefined, now: number): IpInfo | IpInfoError {
  if (row === undefined) return { error: "not in the answer", final: true };
  if (row.status !== "success") return { error: text(row.message) ?? "refused", final: true };
  const { asn, org: owner } = network(row.as);
  return infoOf(
    {
      country: text(row.country),
      countryCode: countryCode(row.countryCode),
      region: text(row.regionName),
      city: text(row.city),
      lat: degrees(row.lat, 90),
      lon: degrees(row.lon, 180),
      timezone: text(row.timezone),
      postal: text(row.zip),
      asn,
      org: text(row.org) ?? owner,
      isp: text(row.isp),
      hostname: text(row.reverse),
      mobile: flag(row.mobile),
      proxy: flag(row.proxy),
      hosting: flag(row.hosting),
    },
    "ip-api",
    now,
  );
}
