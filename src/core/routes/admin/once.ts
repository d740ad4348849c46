/**
 * `Idempotency-Key` of administrators: a request that is sent again gets the answer of the first one and does nothing.
 *
 * @module
 */
import { ApiError } from "../../../http/api_error.ts";
import { Idempotency } from "../../../http/idempotency.ts";
import { invalidBody } from "../../contract/parse.ts";
import { Failure } from "../../failure.ts";
import { type CoreContext, readBytes } from "../../request.ts";

/** Answers of one Core: replicas do not know each other's. */
export class Once {
  readonly #kept: Idempotency;

  /** @param now milliseconds of a clock that never jumps */
  constructor(now: () => number) {
    this.#kept = new Idempotency(now);
  }

  /**
   * The answer of the first request with the key of this one; without a key, that of this one.
   *
   * @param who the key belongs to: two tokens may have the same one
   * @throws {Failure} CONFLICT when the key came with another body, VALIDATION_FAILED for one that is none
   */
  async answer(
    c: CoreContext,
    who: string,
    limit: number,
    run: () => Response | Promise<Response>,
  ): Promise<Response> {
    const key = c.req.header("Idempotency-Key");
    if (key === undefined) return await run();
    const body = await readBytes(c, limit);
    const { url, headers } = c.req.raw;
    c.req.raw = new Request(url, { method: "POST", headers, body });
    try {
      return await this.#kept.answer(key, `${who} ${c.req.path}`, body, async () => await run());
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 422) throw new Failure("CONFLICT", "Idempotency-Key was used with another request body");
      throw invalidBody([{ path: "idempotency-key", message: "expected 1 to 256 characters that can be seen" }]);
    }
  }
}
