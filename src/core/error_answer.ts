/**
 * From anything that was thrown to an answer of Core over HTTP.
 *
 * @module
 */
import { messageOf } from "../errors.ts";
import type { Logger } from "../log/types.ts";
import { Failure } from "./failure.ts";
import { httpStatus, reasonPhrase } from "./http_status.ts";

/** Nothing is known about how long a database stays away. */
const STORE_RETRY_MS = 2_000;

/** The answer to an error. What was not thrown as a refusal is logged, and the caller learns no detail. */
export function errorAnswer(error: unknown, requestId: string, logger: Logger): Response {
  const failure = toFailure(error, requestId, logger);
  const status = httpStatus(failure.failure);
  const body = {
    statusCode: status,
    error: reasonPhrase(status),
    message: failure.message,
    code: failure.failure,
    ...(failure.issues === undefined ? {} : { issues: failure.issues }),
    requestId,
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: { "Content-Type": "application/json", "Cache-Control": "no-store", ...headersOf(failure) },
  });
}

/** What the caller learns of an error, over either transport; the rest goes into the log. */
export function toFailure(error: unknown, requestId: string, logger: Logger): Failure {
  if (error instanceof Failure && error.failure !== "INTERNAL") {
    if (error.failure !== "STORE_UNAVAILABLE") return error;
    // What the database said is nobody else's affair.
    logger.warn("A request found no database", { request: requestId, reason: error.message });
    return new Failure("STORE_UNAVAILABLE", "The database cannot be used now, nothing was changed", {
      retryAfterMs: error.retryAfterMs ?? STORE_RETRY_MS,
    });
  }
  logger.error("A request failed", { request: requestId, reason: messageOf(error) });
  return new Failure("INTERNAL", "Internal error");
}

function headersOf({ failure, retryAfterMs, nextSeq, allow }: Failure): Record<string, string> {
  const headers: Record<string, string> = {};
  if (retryAfterMs !== undefined) headers["Retry-After"] = String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
  if (nextSeq !== undefined) headers["x-report-next"] = String(nextSeq);
  if (allow !== undefined) headers["Allow"] = allow.join(", ");
  if (failure === "UNSUPPORTED_MEDIA_TYPE") headers["Accept-Encoding"] = "gzip";
  return headers;
}
