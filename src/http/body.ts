/**
 * Bodies of requests: bounded, and JSON whatever their content type says.
 *
 * @module
 */
import { joinBytes } from "../bytes/join.ts";
import { ApiError } from "./api_error.ts";

/** The largest body that is read. */
export const BODY_LIMIT_BYTES: number = 1024 * 1024;

/**
 * Reads a body. Where it is too long the rest stays unread: the connection has to be closed after the answer.
 *
 * @throws {ApiError} 413 when it is longer than the limit, 400 when it does not come to its end
 */
export async function readBody(request: Request, limit: number = BODY_LIMIT_BYTES): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(request.headers.get("content-length") ?? 0) > limit) throw tooLarge(limit);
  if (request.body === null) return new Uint8Array(0);
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return joinBytes(chunks, length);
      length += value.length;
      // Cancelling the stream would close the socket before the answer.
      if (length > limit) throw tooLarge(limit);
      chunks.push(value);
    }
  } catch (error) {
    throw error instanceof ApiError ? error : invalidBody();
  } finally {
    reader.releaseLock();
  }
}

/**
 * The JSON value of a body.
 *
 * @throws {ApiError} 400
 */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw invalidBody();
  }
}

/** The answer to a body that cannot be read, or does not say what it should. */
export function invalidBody(): ApiError {
  return new ApiError(400, "Invalid request body");
}

function tooLarge(limit: number): ApiError {
  return new ApiError(413, `Request body exceeds maximum length ${limit}`);
}
