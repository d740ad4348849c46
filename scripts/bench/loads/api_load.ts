/**
 * Many clients of a master's API at once: they look, create, change, restart and remove.
 *
 * @module
 */
import { delay } from "../proc_files.ts";

/** Instances of one client at most. */
const OWN = 2;
/** Between two calls of one client, on average. */
const PAUSE_MS = 100;
/** Clients come one after another. */
const RAMP_MS = 1_000;

/** Options of {@linkcode apiLoad}. */
export interface ApiLoadOptions {
  /** `http://host:port/prefix/v1` */
  readonly base: string;
  readonly key: string;
  readonly clients: number;
  readonly ms: number;
}

/** What became of it. */
export interface ApiLoadResult {
  readonly calls: number;
  /** Answers by status; "failed" for calls without one. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Milliseconds, sorted. */
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  /** The first that went wrong, for people. */
  readonly trouble: readonly string[];
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

/** Runs the clients for a while. */
export async function apiLoad(options: ApiLoadOptions): Promise<ApiLoadResult> {
  const load = new Load(options);
  const until = performance.now() + options.ms;
  await Promise.all(Array.from({ length: options.clients }, () => load.client(until)));
  return load.result();
}

/** The value that `share` of the sorted samples do not exceed. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

class Load {
  readonly #options: ApiLoadOptions;
  readonly #statuses: Record<string, number> = {};
  readonly #reads: number[] = [];
  readonly #writes: number[] = [];
  readonly #trouble: string[] = [];
  #named = 0;

  constructor(options: ApiLoadOptions) {
    this.#options = options;
  }

  async client(until: number): Promise<void> {
    const own: string[] = [];
    await delay(RAMP_MS * Math.random());
    while (performance.now() < until) {
      const id = own[Math.floor(Math.random() * own.length)];
      const call = this.#next(id, own.length);
      const { status, text } = await this.#call(call);
      if (call.method === "POST" && status === 201) own.push(JSON.parse(text).id);
      if (call.method === "DELETE" && status === 204) own.splice(own.indexOf(id!), 1);
      await delay(PAUSE_MS * 2 * Math.random());
    }
    for (const id of own) await this.#call({ method: "DELETE", path: `/instances/${id}` });
  }

  result(): ApiLoadResult {
    const sorted = (samples: readonly number[]): number[] => [...samples].sort((a, b) => a - b);
    return {
      calls: this.#reads.length + this.#writes.length,
      statuses: this.#statuses,
      reads: sorted(this.#reads),
      writes: sorted(this.#writes),
      trouble: this.#trouble,
    };
  }

  #next(id: string | undefined, owned: number): Call {
    const dice = Math.random() * 100;
    if (id === undefined || dice < 5 && owned < OWN) {
      const alias = `load-${++this.#named}`;
      return { method: "POST", path: "/instances", body: { alias, url: loadUrl(this.#named) } };
    }
    const path = `/instances/${id}`;
    if (dice < 30) return { method: "GET", path: "/instances" };
    if (dice < 50) return { method: "GET", path };
    if (dice < 58) return { method: "GET", path: "/info" };
    if (dice < 62) return { method: "GET", path: `${path}/logs?lines=50` };
    if (dice < 66) return { method: "GET", path: `${path}/sessions` };
    if (dice < 69) return { method: "GET", path: "/metrics" };
    if (dice < 71) return { method: "GET", path: `/tcping?target=${new URL(this.#options.base).host}` };
    if (dice < 84) return { method: "PATCH", path, body: { alias: `renamed-${this.#named}` } };
    if (dice < 87) return { method: "PATCH", path, body: { meta: { tags: { at: String(this.#named) } } } };
    if (dice < 93) return { method: "PATCH", path, body: { action: action() } };
    if (dice < 97) return { method: "PUT", path, body: { url: loadUrl(++this.#named) } };
    return { method: "DELETE", path };
  }

  async #call({ method, path, body }: Call): Promise<{ status: number; text: string }> {
    const start = performance.now();
    let status = 0;
    let text = "";
    try {
      const response = await fetch(this.#options.base + path, {
        method,
        headers: { "X-API-Key": this.#options.key },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      text = await response.text();
      status = response.status;
    } catch (error) {
      text = String(error);
    }
    const samples = method === "GET" ? this.#reads : this.#writes;
    samples.push(performance.now() - start);
    const name = status === 0 ? "failed" : String(status);
    this.#statuses[name] = (this.#statuses[name] ?? 0) + 1;
    const wrong = status === 0 || status >= 400;
    if (wrong && this.#trouble.length < 5) this.#trouble.push(`${method} ${path}: ${status} ${text.slice(0, 200)}`);
    return { status, text };
  }
}

function action(): string {
  return ["stop", "start", "restart", "reset"][Math.floor(Math.random() * 4)]!;
}

/** A server on a port that the system chooses. */
function loadUrl(number: number): string {
  return `server://load-key-0123456789@127.0.0.1:0/127.0.0.1:9?mode=2&tls=0&max=${number + 1}`;
}
