/**
 * Requests to a master.
 *
 * @module
 */
// fetch cannot be told whom to believe in the same way on both runtimes.
import { type IncomingMessage, request as httpRequest } from "node:http";
// As above.
import { request as httpsRequest } from "node:https";
import { NodePassError } from "../errors.ts";
import type { InstanceView } from "../master/instance.ts";
import type { Runtime } from "../runtime/types.ts";
import type { ApiTarget } from "./api_flags.ts";

const TIMEOUT_MS = 10_000;
/** A list of 1,000 instances takes about 1 MB. */
const BODY_LIMIT = 64 * 1024 * 1024;

/** An answer that is complete. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
  /** The other side's clock in ms since the epoch, cut to seconds; null when it did not say. */
  readonly date: number | null;
  /** From the request to the end of the answer. */
  readonly ms: number;
}

/** What `GET /info` says, as far as it is used here. */
export interface MasterInfo {
  readonly mid: string;
  readonly alias: string;
  readonly ver: string;
  readonly impl?: string;
  readonly impl_version?: string;
  readonly tls: string;
  readonly cpu: number;
  readonly mem_total: number;
  readonly mem_used: number;
  readonly uptime: number;
}

/** One master. */
export class ApiClient {
  readonly target: ApiTarget;
  readonly #runtime: Pick<Runtime, "clock" | "toError">;

  constructor(target: ApiTarget, runtime: Pick<Runtime, "clock" | "toError">) {
    this.target = target;
    this.#runtime = runtime;
  }

  /** The address for people, without `/v1`. */
  get name(): string {
    return this.target.base.href.replace(/\/v1$/, "");
  }

  /**
   * The body of `GET path`.
   *
   * @throws {NodePassError} when it cannot be reached or the answer is an error
   */
  async get<T>(path: string): Promise<T> {
    const answer = await this.request("GET", path);
    if (answer.status !== 200) throw refused(`GET ${path}`, this.name, answer);
    return answer.body as T;
  }

  /** All instances, the one that carries the API key included. */
  async instances(): Promise<readonly InstanceView[]> {
    const list = await this.get<unknown>("/instances");
    if (Array.isArray(list)) return list as InstanceView[];
    throw new NodePassError("protocol", `Cannot read the instances of ${this.name}: this is not the API of a master`);
  }

  /** One request, answered whatever the status. */
  async request(method: string, path: string, body?: unknown): Promise<ApiAnswer> {
    const { clock } = this.#runtime;
    const begin = clock.now();
    const limit = new AbortController();
    const timer = clock.after(TIMEOUT_MS, () => limit.abort());
    try {
      const response = await this.open(method, path, { signal: limit.signal, body });
      const text = await this.#readBody(response, limit.signal);
      const date = Date.parse(response.headers.date ?? "");
      return {
        status: response.statusCode ?? 0,
        body: parsed(text),
        date: Number.isNaN(date) ? null : date,
        ms: clock.now() - begin,
      };
    } finally {
      timer.cancel();
    }
  }

  /** A response whose body is still to come. The signal ends it. */
  open(
    method: string,
    path: string,
    { signal, body, headers = {} }: {
      readonly signal: AbortSignal;
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    },
  ): Promise<IncomingMessage> {
    const { base, key, extraCa, verify } = this.target;
    const url = new URL(`${base.href}${path}`);
    const text = body === undefined ? null : JSON.stringify(body);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    // With a list of its own, Deno does not ask for the permission to read the system's.
    const ca = extraCa === null ? (verify ? {} : { ca: [] }) : { ca: extraCa };
    const fail = (error: unknown): void => reject(this.#unreachable(error, signal));
    try {
      const outgoing = send(url, {
        method,
        signal,
        agent: false,
        headers: {
          "X-API-Key": key.reveal(),
          "User-Agent": "nodepass",
          ...(text === null ? {} : { "Content-Type": "application/json", "Content-Length": encodedLength(text) }),
          ...headers,
        },
        ...(url.protocol === "https:" ? { rejectUnauthorized: verify, ...ca } : {}),
      }, resolve);
      outgoing.on("error", fail);
      outgoing.end(text ?? undefined);
    } catch (error) {
      fail(error);
    }
    return promise;
  }

  async #readBody(response: IncomingMessage, signal: AbortSignal): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    try {
      for await (const chunk of response) {
        text += decoder.decode(chunk as Uint8Array, { stream: true });
        if (text.length > BODY_LIMIT) throw new NodePassError("limit", "the answer is longer than 64 MiB");
      }
    } catch (error) {
      throw this.#unreachable(error, signal);
    }
    return text + decoder.decode();
  }

  #unreachable(error: unknown, signal: AbortSignal): NodePassError {
    const action = `Cannot reach ${this.name}`;
    if (signal.aborted) {
      return new NodePassError("timed_out", `${action}: no answer within ${TIMEOUT_MS / 1000} s`, { cause: error });
    }
    return this.#runtime.toError(error, action);
  }
}

/** The error that an answer stands for. */
export function refused(action: string, name: string, { status, body }: ApiAnswer): NodePassError {
  const said = (body as { error?: unknown } | null)?.error;
  const text = typeof said === "string" ? said : `status ${status}`;
  if (status === 401) {
    return new NodePassError(
      "permission_denied",
      `API key is not accepted by ${name}: "nodepass state key" prints it where the master runs`,
    );
  }
  if (status === 429) return new NodePassError("limit", `Too many wrong keys from here at ${name}: wait a minute`);
  if (status === 404 && said === undefined) {
    return new NodePassError("protocol", `Cannot find the API at ${name}: check host, port and prefix`);
  }
  return new NodePassError("protocol", `Cannot ${action} at ${name}: ${text}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function encodedLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
