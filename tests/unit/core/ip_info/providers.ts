/**
 * Providers of address data on this machine that count, limit and refuse as the real ones do.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../../../../src/runtime/types.ts";
import { addressKind } from "../../../../src/core/outbound/address_rules.ts";

/** What a test lets a provider answer instead of what it would. */
export interface Oddity {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** A provider. */
export interface FakeProvider {
  readonly base: string;
  /** Every address that it was asked about, in order. */
  readonly asked: string[];
  /** Requests, with those that it refused. */
  requests: number;
  /** Requests in a closed window: the real one bans for them. */
  violations: number;
  /** URLs that it was asked with. */
  readonly urls: string[];
  /** Answers for as long as it is set. */
  oddity: Oddity | null;
  /** Runs before each answer. */
  before: () => Promise<void>;
  close(): Promise<void>;
}

type Answer = { readonly status: number; readonly headers?: Record<string, string>; readonly value: unknown };

/** The batch service of ip-api: 15 requests a minute, 100 addresses each. */
export function fakeIpApi(clock: Clock, options: { readonly perWindow?: number } = {}): Promise<FakeProvider> {
  const perWindow = options.perWindow ?? 15;
  let [left, endsAt] = [perWindow, 0];
  return serve((fake, request, url, body) => {
    const now = clock.wall();
    if (now >= endsAt) [left, endsAt] = [perWindow, now + 60_000];
    const headers = { "X-Ttl": String(Math.floor((endsAt - now) / 1000)), "X-Rl": String(Math.max(0, left - 1)) };
    if (left === 0) {
      fake.violations++;
      return { status: 429, headers, value: "" };
    }
    left--;
    const ips: unknown = JSON.parse(body);
    if (request.method !== "POST" || url.pathname !== "/batch" || !Array.isArray(ips)) {
      return { status: 400, value: "" };
    }
    fake.asked.push(...ips);
    if (ips.length > 100) return { status: 422, headers, value: "" };
    const fields = new Set((url.searchParams.get("fields") ?? "").split(","));
    const rows = ips.map((ip) => ipApiRow(ip));
    const shown = rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => fields.has(name))));
    return { status: 200, headers, value: shown };
  });
}

function ipApiRow(query: string): object {
  if (addressKind(query) !== "public") return { status: "fail", message: "private range", query };
  if (query.startsWith("185.")) return { status: "fail", message: "reserved range", query };
  return {
    ...{ status: "success", query, country: "Germany", countryCode: "DE", region: "BE", regionName: "Land Berlin" },
    ...{ city: "Berlin", zip: "10115", lat: 52.5, lon: 13.4, timezone: "Europe/Berlin", isp: "An ISP", org: "" },
    ...{ as: "AS3320 Deutsche Telekom AG", reverse: "", mobile: false, proxy: true, hosting: false },
  };
}

/** IPinfo with a quota per hour. */
export function fakeIpinfo(
  clock: Clock,
  { token, quota = 1_000 }: { readonly token: string; readonly quota?: number },
): Promise<FakeProvider> {
  let [left, endsAt] = [quota, 0];
  return serve((fake, request, url) => {
    const now = clock.wall();
    if (now >= endsAt) [left, endsAt] = [quota, now + 3_600_000];
    if (request.headers.authorization !== `Bearer ${token}`) return { status: 403, value: { error: "Unknown token" } };
    if (left === 0) {
      fake.violations++;
      return { status: 429, headers: { "Retry-After": String(Math.ceil((endsAt - now) / 1000)) }, value: {} };
    }
    left--;
    const ip = decodeURIComponent(/^\/([^/]+)\/json$/.exec(url.pathname)?.[1] ?? "");
    fake.asked.push(ip);
    if (addressKind(ip) !== "public") return { status: 200, value: { ip, bogon: true } };
    if (ip.startsWith("185.")) return { status: 404, value: { error: { title: "Wrong ip" } } };
    const plain = { ip, hostname: "host.example", city: "Mountain View", region: "California", country: "US" };
    const more = {
      loc: "38.0088,-122.1175",
      org: "AS15169 Google LLC",
      postal: "94043",
      timezone: "America/Los_Angeles",
    };
    return { status: 200, value: { ...plain, ...more, readme: "https://ipinfo.io/missingauth" } };
  });
}

async function serve(
  answer: (fake: FakeProvider, request: IncomingMessage, url: URL, body: string) => Answer,
): Promise<FakeProvider> {
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const fake: FakeProvider = {
    ...{ base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked: [], requests: 0, violations: 0 },
    ...{ urls: [], oddity: null, before: () => Promise.resolve(), close: () => closeServer(server) },
  };
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request) body += chunk;
    fake.requests++;
    fake.urls.push(request.url ?? "");
    await fake.before();
    const { status, headers, value } = answer(fake, request, new URL(request.url ?? "", fake.base), body);
    const text = value === "" ? "" : JSON.stringify(value);
    response.writeHead(fake.oddity?.status ?? status, { ...headers, ...fake.oddity?.headers });
    response.end(fake.oddity?.body ?? text);
  }
  return fake;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
