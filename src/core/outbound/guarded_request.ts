/**
 * Requests to places that somebody else named: one address that was looked at, no redirects, little time, few bytes.
 *
 * @module
 */
// `fetch` can neither be told which address to dial nor to dial the one that was looked at.
import http from "node:http";
// The same.
import https from "node:https";
import { joinBytes } from "../../bytes/join.ts";
import { isIp } from "../../address/ip.ts";
import { NodePassError } from "../../errors.ts";
import type { Dns } from "../../runtime/types.ts";
import { mayDial } from "./address_rules.ts";

/** One request. */
export interface GuardedRequest {
  readonly method: "GET" | "POST";
  /** `http:` or `https:`. */
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** For all of it, from the look-up of the name to the last byte. */
  readonly timeoutMs: number;
  /** Of the answer. */
  readonly maxBytes: number;
  /** Private addresses and this machine may be dialled. */
  readonly allowPrivate: boolean;
  readonly signal?: AbortSignal;
}

/** The answer, whatever its status. */
export interface GuardedAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/**
 * Sends it.
 *
 * @throws {NodePassError} `permission_denied` for an address that may not be dialled, `timed_out`, `limit` for a long answer,
 * `name_not_found`, `unreachable`
 */
export async function guardedRequest(request: GuardedRequest, dns: Dns): Promise<GuardedAnswer> {
  const limit = AbortSignal.timeout(request.timeoutMs);
  const signal = request.signal === undefined ? limit : AbortSignal.any([limit, request.signal]);
  try {
    const address = await within(addressOf(request, dns), signal);
    return await send(request, address, signal);
  } catch (error) {
    if (limit.aborted) {
      throw new NodePassError("timed_out", `No answer from ${request.url.host} within ${request.timeoutMs} ms`);
    }
    if (error instanceof NodePassError) throw error;
    throw new NodePassError("unreachable", `Cannot reach ${request.url.host}`, { cause: error });
  }
}

/** The one address that is dialled: looked at here, so that a name cannot change its mind in between. */
async function addressOf({ url, allowPrivate }: GuardedRequest, dns: Dns): Promise<string> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const addresses = isIp(host) ? [host] : await dns.resolve(host);
  const [first] = addresses.filter((ip) => mayDial(ip, allowPrivate));
  if (first !== undefined) return first;
  throw new NodePassError(
    "permission_denied",
    `Address of ${url.host} may not be dialled: it is private, local or reserved`,
  );
}

function send(request: GuardedRequest, address: string, signal: AbortSignal): Promise<GuardedAnswer> {
  const { url, method, body, maxBytes } = request;
  const secure = url.protocol === "https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return new Promise((resolve, reject) => {
    const call = (secure ? https : http).request({
      ...{ method, host: address, port: url.port === "" ? (secure ? 443 : 80) : Number(url.port), signal },
      path: `${url.pathname}${url.search}`,
      headers: {
        ...{ Host: url.host, Connection: "close", "Accept-Encoding": "identity" },
        ...request.headers,
        ...(body === undefined ? {} : { "Content-Length": String(body.length) }),
      },
      agent: false,
      ...(secure && !isIp(host) ? { servername: host } : {}),
    }, (response) => {
      const chunks: Uint8Array[] = [];
      let length = 0;
      response.on("data", (chunk: Uint8Array) => {
        length += chunk.length;
        if (length > maxBytes) {
          reject(new NodePassError("limit", `Answer of ${url.host} is longer than ${maxBytes} bytes`));
          call.destroy();
          return;
        }
        chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () => {
        if (!response.complete) return reject(new NodePassError("unreachable", `Answer of ${url.host} broke off`));
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: joinBytes(chunks, length) });
      });
    });
    call.on("error", reject);
    call.end(body);
  });
}

function within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const give = (): void => reject(signal.reason);
    if (signal.aborted) return give();
    signal.addEventListener("abort", give, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", give));
  });
}
