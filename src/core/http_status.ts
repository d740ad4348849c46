/**
 * The HTTP status of every refusal.
 *
 * @module
 */
import type { FailureCode } from "./failure.ts";

const STATUS: Readonly<Record<FailureCode, number>> = {
  VALIDATION_FAILED: 400,
  AUTH_REQUIRED: 401,
  AUTH_INVALID: 401,
  NODE_DISABLED: 403,
  NODE_PENDING: 403,
  JOIN_DENIED: 403,
  FORBIDDEN: 403,
  ADDRESS_FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  NODE_EXISTS: 409,
  SEQ_GAP: 409,
  REVISION_AHEAD: 409,
  CONFLICT: 409,
  PRECONDITION_FAILED: 412,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  NODE_BAD_REPLY: 502,
  STORE_UNAVAILABLE: 503,
  NODE_UNREACHABLE: 504,
};

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  412: "Precondition Failed",
  413: "Payload Too Large",
  415: "Unsupported Media Type",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** 400..504 */
export function httpStatus(failure: FailureCode): number {
  return STATUS[failure];
}

/** The words that belong to a status: `error` of the body. */
export function reasonPhrase(status: number): string {
  return REASONS[status] ?? "Error";
}
