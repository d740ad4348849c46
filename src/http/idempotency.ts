/**
 * `Idempotency-Key`: a request that is sent again gets the answer of the first one and does nothing.
 *
 * @module
 */
import { toHex } from "../bytes/hex.ts";
import { ApiError } from "./api_error.ts";

/** How long an answer is kept. */
export const KEPT_MS: number = 10 * 60_000;
/** How many answers are kept. */
export const KEPT_ANSWERS = 1_000;
const KEY_LENGTH = 256;
/** No client needs more than what can be seen. */
const KEY = /^[!-~]+$/;

interface Kept {
  readonly fingerprint: string;
  readonly until: number;
  readonly answer: Promise<Answer>;
}

interface Answer {
  readonly status: number;
  readonly headers: readonly [string, string][];
  readonly body: string;
}

/** Answers by key, for a while. */
export class Idempotency {
  readonly #now: () => number;
  /** The one that goes first at the front: all are kept equally long. */
  readonly #kept = new Map<string, Kept>();

  /** @param now milliseconds of a clock that never jumps */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * The answer of the first request with this key; `run` makes it, at most once at a time. Only what worked is kept.
   *
   * @param key of the client
   * @param path what the key is for: two routes may see the same one
   * @param body of the request
   * @throws {ApiError} 422 when the key came with another body, 400 for a key that is empty, too long or not printable
   */
  async answer(
    key: string,
    path: string,
    body: Uint8Array<ArrayBuffer>,
    run: () => Promise<Response>,
  ): Promise<Response> {
    if (!KEY.test(key)) throw new ApiError(400, "Invalid Idempotency-Key");
    if (key.length > KEY_LENGTH) throw new ApiError(400, `Idempotency-Key exceeds maximum length ${KEY_LENGTH}`);
    const fingerprint = await hash(body);
    this.#expire();
    const name = `${path} ${key}`;
    const kept = this.#kept.get(name) ?? this.#start(name, fingerprint, run);
    if (kept.fingerprint !== fingerprint) {
      throw new ApiError(422, "Idempotency-Key was used with another request body");
    }
    const { status, headers, body: text } = await kept.answer;
    return new Response(text, { status, headers: [...headers] });
  }

  #start(name: string, fingerprint: string, run: () => Promise<Response>): Kept {
    const answer = run().then(async (response): Promise<Answer> => ({
      status: response.status,
      headers: [...response.headers],
      body: await response.text(),
    }));
    const kept: Kept = { fingerprint, until: this.#now() + KEPT_MS, answer };
    this.#kept.set(name, kept);
    const forget = (): void => {
      if (this.#kept.get(name) === kept) this.#kept.delete(name);
    };
    answer.then(({ status }) => status < 300 || forget(), forget);
    return kept;
  }

  #expire(): void {
    const now = this.#now();
    for (const [name, { until }] of this.#kept) {
      if (until > now && this.#kept.size < KEPT_ANSWERS) return;
      this.#kept.delete(name);
    }
  }
}

async function hash(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return toHex(digest);
}
