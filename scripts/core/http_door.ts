/**
 * The calls of an agent over HTTP.
 *
 * @module
 */
import type { NodeConfig } from "../../src/core/contract/types.ts";
import {
  DEFAULT_PACE,
  Lost,
  type NodeDoor,
  type OutboundItem,
  type Pace,
  type Place,
  readPace,
  Refused,
  type SessionItem,
  type UsageItem,
} from "./door.ts";

const CALL_MS = 15_000;

/** See the module. Figures and online users have no routes: they are taken and dropped. */
export class HttpDoor implements NodeDoor {
  pace: Pace = DEFAULT_PACE;
  readonly #base: string;
  readonly #key: string;

  constructor(base: string, key: string) {
    this.#base = base;
    this.#key = key;
  }

  async heartbeat(revision: number | null, hash: string | null): Promise<{ readonly needSync: boolean }> {
    const headers: Record<string, string> = hash === null ? {} : { "x-config-hash": hash };
    return await this.#post("/node/heartbeat", revision === null ? {} : { revision }, headers) as { needSync: boolean };
  }

  async usage(place: Place | null, entries: readonly UsageItem[]): Promise<void> {
    await this.#post("/node/usage", { entries }, placeHeaders(place));
  }

  async outboundUsage(place: Place | null, items: readonly OutboundItem[]): Promise<void> {
    await this.#post("/node/outbound-usage", { items }, placeHeaders(place));
  }

  async latestConfig(): Promise<NodeConfig> {
    return await this.#call("GET", "/node/config/latest") as NodeConfig;
  }

  async configApplied(revision: number): Promise<void> {
    await this.#post("/node/config/applied", { revision });
  }

  async sessionEvents(events: readonly SessionItem[]): Promise<void> {
    await this.#post("/node/session-events", { events });
  }

  async nodeError(message: string, code: string, details: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#post("/node/error", { message, code, details });
  }

  nodeStats(): Promise<void> {
    return Promise.resolve();
  }

  onlineUsers(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {}

  #post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
    return this.#call("POST", path, JSON.stringify(body), headers);
  }

  async #call(
    method: string,
    path: string,
    body: string | null = null,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<unknown> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.#base + path, {
        method,
        headers: {
          "x-node-auth-key": this.#key,
          ...(body === null ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        body,
        signal: AbortSignal.timeout(CALL_MS),
      });
      text = await response.text();
    } catch (error) {
      throw new Lost(String(error));
    }
    this.pace = readPace(response.headers.get("x-core-intervals"), this.pace);
    if (response.ok) return JSON.parse(text);
    const { code, message } = partsOf(text);
    const retryMs = Number(response.headers.get("retry-after") ?? 1) * 1000;
    throw new Refused(
      code ?? String(response.status),
      response.status,
      message ?? text.slice(0, 200),
      response.headers.get("x-report-next"),
      retryMs,
    );
  }
}

/** The headers of a report. */
export function placeHeaders(place: Place | null): Record<string, string> {
  if (place === null) return {};
  return {
    "x-report-stream": place.stream,
    "x-report-seq": String(place.seq),
    ...(place.gap ? { "x-report-gap": "1" } : {}),
  };
}

function partsOf(text: string): { code?: string; message?: string } {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
