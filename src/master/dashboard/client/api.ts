/**
 * Requests to the master.
 *
 * @module
 */
import type { SessionRecord } from "../../../report/types.ts";
import type { InstanceView } from "../../instance.ts";
import type { InstanceChange, SystemSample, TcpingResult } from "../../parts.ts";

/** What `/info` says. */
export interface Info extends SystemSample {
  readonly mid: string;
  readonly alias: string;
  readonly os: string;
  readonly arch: string;
  readonly ver: string;
  readonly impl?: string;
  readonly impl_version?: string;
  readonly name: string;
  readonly tls: string;
  readonly uptime: number;
}

/** A request that did not do what it should; `status` is 0 when there was no answer. */
export class ApiFailure extends Error {
  readonly status: number;

  /**
   * A failure.
   *
   * @param status of the answer
   * @param text for people
   */
  constructor(status: number, text: string) {
    super(text);
    this.name = "ApiFailure";
    this.status = status;
  }
}

/** The folder in which the API lies: beside this page. */
export function apiBase(page: string): string {
  return new URL("v1/", page).href;
}

/** The API of one master under one key. */
export class Api {
  readonly base: string;
  readonly key: string;
  readonly #onRefused: () => void;
  #refusalsIgnored = false;

  /**
   * The API.
   *
   * @param base folder of the API, with a slash at its end
   * @param key the API key
   * @param onRefused is called when the master does not take the key any more
   */
  constructor(base: string, key: string, onRefused: () => void = () => {}) {
    this.base = base;
    this.key = key;
    this.#onRefused = onRefused;
  }

  /** While the key changes: whether refused requests are nothing to tell. */
  ignoreRefusals(ignored: boolean): void {
    this.#refusalsIgnored = ignored;
  }

  instances(): Promise<readonly InstanceView[]> {
    return this.#request("GET", "instances");
  }

  create(url: string, alias: string): Promise<InstanceView> {
    return this.#request("POST", "instances", { alias, url });
  }

  change(id: string, change: InstanceChange): Promise<InstanceView> {
    return this.#request("PATCH", instancePath(id), change);
  }

  replaceUrl(id: string, url: string): Promise<InstanceView> {
    return this.#request("PUT", instancePath(id), { url });
  }

  async remove(id: string): Promise<void> {
    await this.#request("DELETE", instancePath(id));
  }

  sessions(id: string): Promise<readonly SessionRecord[]> {
    return this.#request("GET", `${instancePath(id)}/sessions`);
  }

  async endSession(id: string, session: string): Promise<void> {
    await this.#request("DELETE", `${instancePath(id)}/sessions/${encodeURIComponent(session)}`);
  }

  logs(id: string, lines: number): Promise<readonly string[]> {
    return this.#request("GET", `${instancePath(id)}/logs?lines=${lines}`);
  }

  info(): Promise<Info> {
    return this.#request("GET", "info");
  }

  rename(alias: string): Promise<Info> {
    return this.#request("POST", "info", { alias });
  }

  tcping(target: string): Promise<TcpingResult> {
    return this.#request("GET", `tcping?target=${encodeURIComponent(target)}`);
  }

  /** The event stream, open. */
  async events(lastEventId: string | null, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { "X-API-Key": this.key, "Accept": "text/event-stream" };
    if (lastEventId !== null) headers["Last-Event-ID"] = lastEventId;
    const response = await fetch(`${this.base}events`, { headers, signal, cache: "no-store" });
    if (response.ok) return response;
    throw await this.#failure(response);
  }

  async #request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const init: RequestInit = { method, headers: { "X-API-Key": this.key }, cache: "no-store" };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { "X-API-Key": this.key, "Content-Type": "application/json" };
    }
    const response = await fetch(this.base + path, init).catch(() => {
      throw new ApiFailure(0, "The master does not answer. It may be restarting, or the network is down.");
    });
    if (!response.ok) throw await this.#failure(response);
    const text = await response.text();
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  async #failure(response: Response): Promise<ApiFailure> {
    if (response.status === 401 && !this.#refusalsIgnored) this.#onRefused();
    if (response.status === 429) {
      const wait = response.headers.get("Retry-After") ?? "60";
      return new ApiFailure(429, `Too many wrong keys from this address. Try again in ${wait} seconds.`);
    }
    return new ApiFailure(response.status, await errorText(response));
  }
}

function instancePath(id: string): string {
  return `instances/${encodeURIComponent(id)}`;
}

async function errorText(response: Response): Promise<string> {
  try {
    const { error } = await response.json() as { readonly error?: unknown };
    if (typeof error === "string" && error !== "") return error;
  } catch {
    // Not an answer of the API: a proxy in between, for example.
  }
  return `The master answered ${response.status} ${response.statusText}`.trim();
}

/** What went wrong, for people. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
