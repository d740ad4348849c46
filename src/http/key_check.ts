/**
 * Who may call: a key in a header, and a limit on guessing it.
 *
 * @module
 */
import { normalizeIp, sourceKey } from "../address/ip.ts";
import { ApiError } from "./api_error.ts";

/** Failures of one source that are answered within one window. */
export const FAILURES_PER_WINDOW = 10;
/** Length of a window. */
export const WINDOW_MS = 60_000;
/** Sources that are remembered at once. */
const SOURCES = 10_000;

interface Window {
  failures: number;
  readonly endsAt: number;
}

/** Options of {@linkcode KeyCheck}. */
export interface KeyCheckOptions {
  /** Whether a text is the key, in the same time for every text. */
  readonly isKey: (text: string) => boolean;
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number;
}

/** Lets those in who have the key. */
export class KeyCheck {
  readonly #options: KeyCheckOptions;
  /** By source, the window that ends first at the front: all are equally long. */
  readonly #windows = new Map<string, Window>();

  constructor(options: KeyCheckOptions) {
    this.#options = options;
  }

  /**
   * Returns when the request carries the key. A valid key is never refused, whatever else came from its address:
   * several people may be behind one.
   *
   * @param address of the client
   * @throws {ApiError} 401 without it, 429 after too many failures of this address
   */
  check(headers: Headers, address: string): void {
    const key = keyOf(headers);
    if (key !== null && this.#options.isKey(key)) return;
    const waitMs = this.#fail(sourceKey(normalizeIp(address)));
    if (waitMs > 0) {
      throw new ApiError(429, "Too many failed attempts", { "Retry-After": String(Math.ceil(waitMs / 1000)) });
    }
    throw new ApiError(401, key === null ? "Unauthorized: API key required" : "Unauthorized: Invalid API key");
  }

  /** Milliseconds for which this source is not answered; 0 when it may try again. */
  #fail(source: string): number {
    const now = this.#options.now();
    for (const [name, { endsAt }] of this.#windows) {
      if (endsAt > now && this.#windows.size <= SOURCES) break;
      this.#windows.delete(name);
    }
    const window = this.#windows.get(source) ?? { failures: 0, endsAt: now + WINDOW_MS };
    if (window.failures === 0) this.#windows.set(source, window);
    window.failures++;
    return window.failures > FAILURES_PER_WINDOW ? window.endsAt - now : 0;
  }
}

/** `X-API-Key`, or a bearer token; null without one. */
function keyOf(headers: Headers): string | null {
  const key = headers.get("x-api-key");
  if (key !== null && key !== "") return key;
  return /^bearer +(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1] ?? null;
}
