/**
 * From anything that was thrown to the status of a call: the one mapper of gRPC.
 *
 * @module
 */
import { Metadata, type ServerErrorResponse, status as Status } from "@grpc/grpc-js";
import type { Logger } from "../../log/types.ts";
import { toFailure } from "../error_answer.ts";
import type { FailureCode } from "../failure.ts";

const STATUS: Readonly<Record<FailureCode, Status>> = {
  VALIDATION_FAILED: Status.INVALID_ARGUMENT,
  UNSUPPORTED_MEDIA_TYPE: Status.INVALID_ARGUMENT,
  AUTH_REQUIRED: Status.UNAUTHENTICATED,
  AUTH_INVALID: Status.UNAUTHENTICATED,
  NODE_DISABLED: Status.PERMISSION_DENIED,
  NODE_PENDING: Status.PERMISSION_DENIED,
  JOIN_DENIED: Status.PERMISSION_DENIED,
  FORBIDDEN: Status.PERMISSION_DENIED,
  ADDRESS_FORBIDDEN: Status.PERMISSION_DENIED,
  NOT_FOUND: Status.NOT_FOUND,
  METHOD_NOT_ALLOWED: Status.UNIMPLEMENTED,
  NODE_EXISTS: Status.ALREADY_EXISTS,
  CONFLICT: Status.ALREADY_EXISTS,
  SEQ_GAP: Status.FAILED_PRECONDITION,
  REVISION_AHEAD: Status.FAILED_PRECONDITION,
  PRECONDITION_FAILED: Status.FAILED_PRECONDITION,
  PAYLOAD_TOO_LARGE: Status.RESOURCE_EXHAUSTED,
  RATE_LIMITED: Status.RESOURCE_EXHAUSTED,
  NODE_BAD_REPLY: Status.UNAVAILABLE,
  NODE_UNREACHABLE: Status.UNAVAILABLE,
  STORE_UNAVAILABLE: Status.UNAVAILABLE,
  INTERNAL: Status.INTERNAL,
};

/** Longer texts do not fit into the head of an answer. */
const LONGEST_DETAILS = 1_000;

/** The status of every refusal. */
export function grpcStatus(failure: FailureCode): Status {
  return STATUS[failure];
}

/** The end of a call that failed; what was not thrown as a refusal is logged, and the caller learns no detail. */
export function errorStatus(error: unknown, requestId: string, logger: Logger): Partial<ServerErrorResponse> {
  const { failure, message, retryAfterMs, nextSeq } = toFailure(error, requestId, logger);
  const metadata = new Metadata();
  metadata.set("x-request-id", requestId);
  metadata.set("x-error-code", failure);
  if (retryAfterMs !== undefined) metadata.set("retry-after-ms", String(Math.ceil(retryAfterMs)));
  if (nextSeq !== undefined) metadata.set("x-report-next", String(nextSeq));
  return { code: STATUS[failure], details: detailsOf(message), metadata };
}

/** The text travels percent-encoded, which half a character cannot be. */
function detailsOf(message: string): string {
  return message.slice(0, LONGEST_DETAILS).toWellFormed();
}
