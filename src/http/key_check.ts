/**
 * Who may call: a key in a header, and a limit on guessing it.
 *
 * @module
 */
import { normalizeIp, sourceKey } from "../address/ip.ts";
import { ApiError } from "./api_error.ts";
import { Attempts } from "./attempts.ts";

/** Failures of one source that are answered within one window. */
export const FAILURES_PER_WINDOW = 10;
/** Length of a window. */
export const WINDOW_MS = 60_000;

/** Options of {@linkcode KeyCheck}. */
export interface KeyCheckOptions {
  /** Whether a text is the key, in the same time for every text. */
  readonly isKey: (text: string) => boolean;
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number;
}

/** Lets those in who have the key. */
export class KeyCheck {
  readonly #isKey: KeyCheckOptions["isKey"];
  readonly #failures: Attempts;

  constructor({ isKey, now }: KeyCheckOptions) {
    this.#isKey = isKey;
    this.#failures = new Attempts({ attempts: FAILURES_PER_WINDOW, windowMs: WINDOW_MS }, now);
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
    if (key !== null && this.#isKey(key)) return;
    const waitMs = this.#failures.count(sourceKey(normalizeIp(address)));
    if (waitMs > 0) {
      throw new ApiError(429, "Too many failed attempts", { "Retry-After": String(Math.ceil(waitMs / 1000)) });
    }
    throw new ApiError(401, key === null ? "Unauthorized: API key required" : "Unauthorized: Invalid API key");
  }
}

/** `X-API-Key`, or a bearer token; null without one. */
function keyOf(headers: Headers): string | null {
  const key = headers.get("x-api-key");
  if (key !== null && key !== "") return key;
  return /^bearer +(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1] ?? null;
}
