/**
 * The one error that becomes an HTTP answer with its text.
 *
 * @module
 */

/** Status codes that an API answers with when something is wrong. */
export type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 408 | 409 | 412 | 413 | 422 | 429 | 500 | 503 | 507;

/** An answer with a status and a text for people; becomes `{"error": text, "message": text}`. */
export class ApiError extends Error {
  readonly status: ErrorStatus;
  /** Headers of the answer, such as `Retry-After`. */
  readonly headers: Readonly<Record<string, string>>;

  /**
   * An answer.
   *
   * @param status of the answer
   * @param text what is wrong
   * @param headers of the answer
   */
  constructor(status: ErrorStatus, text: string, headers: Readonly<Record<string, string>> = {}) {
    super(text);
    this.name = "ApiError";
    this.status = status;
    this.headers = headers;
  }
}
