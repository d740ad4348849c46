/**
 * What Core refuses, and why: one error for both transports.
 *
 * @module
 */
import { type ErrorCode, NodePassError, type NodePassErrorOptions } from "../errors.ts";

/** Why a call was refused, for programs. The same over HTTP (`code` of the body) and gRPC. */
export type FailureCode =
  /** The request does not have the shape that was asked for. */
  | "VALIDATION_FAILED"
  /** No key came with the request. */
  | "AUTH_REQUIRED"
  /** The key is unknown, revoked or expired. */
  | "AUTH_INVALID"
  /** An administrator disabled the node. */
  | "NODE_DISABLED"
  /** The node waits for an administrator. */
  | "NODE_PENDING"
  /** Nobody may join, or not with this token. */
  | "JOIN_DENIED"
  /** The code of the node is taken. */
  | "NODE_EXISTS"
  /** A report skips earlier ones. */
  | "SEQ_GAP"
  /** The node says that it applied what it was never sent. */
  | "REVISION_AHEAD"
  /** No such thing. */
  | "NOT_FOUND"
  /** It contradicts what is there. */
  | "CONFLICT"
  /** It was changed since the caller looked (`If-Match`). */
  | "PRECONDITION_FAILED"
  /** The path exists, the method does not. */
  | "METHOD_NOT_ALLOWED"
  /** More bytes or entries than one call may bring. */
  | "PAYLOAD_TOO_LARGE"
  /** Not JSON, or compressed in a way that is not known. */
  | "UNSUPPORTED_MEDIA_TYPE"
  /** Too many calls. */
  | "RATE_LIMITED"
  /** The key does not reach this far. */
  | "FORBIDDEN"
  /** The address of the node is one that Core does not dial. */
  | "ADDRESS_FORBIDDEN"
  /** The node answered with something else than what was asked for. */
  | "NODE_BAD_REPLY"
  /** The node did not answer. */
  | "NODE_UNREACHABLE"
  /** The database cannot be used now; nothing was changed, the call may be repeated. */
  | "STORE_UNAVAILABLE"
  /** A fault of Core. */
  | "INTERNAL";

/** One finding of a validation. */
export interface Issue {
  /** Where, with dots: `entries.0.bytesUp`. */
  readonly path: string;
  /** What was expected. */
  readonly message: string;
}

/** Details of a {@linkcode Failure}. */
export interface FailureDetails extends NodePassErrorOptions {
  /** All findings of a validation. */
  readonly issues?: readonly Issue[];
  /** When the call may be repeated. */
  readonly retryAfterMs?: number;
  /** The number of the report that is expected next. */
  readonly nextSeq?: number;
  /** The methods that there are. */
  readonly allow?: readonly string[];
}

/** Where a failure has a meaning outside Core too. */
const CODES: Partial<Readonly<Record<FailureCode, ErrorCode>>> = {
  VALIDATION_FAILED: "usage",
  AUTH_REQUIRED: "wrong_key",
  AUTH_INVALID: "wrong_key",
  NOT_FOUND: "not_found",
  PAYLOAD_TOO_LARGE: "limit",
  RATE_LIMITED: "limit",
  NODE_UNREACHABLE: "unreachable",
  STORE_UNAVAILABLE: "io",
  INTERNAL: "io",
};

/** A refusal that both transports can put into words of their own. */
export class Failure extends NodePassError {
  /** Why, for programs. */
  readonly failure: FailureCode;
  /** All findings of a validation. */
  readonly issues: readonly Issue[] | undefined;
  /** When the call may be repeated. */
  readonly retryAfterMs: number | undefined;
  /** The number of the report that is expected next. */
  readonly nextSeq: number | undefined;
  /** The methods that there are. */
  readonly allow: readonly string[] | undefined;

  /**
   * A refusal.
   *
   * @param failure why, for programs
   * @param message why, for people
   * @param details what goes with some of them
   */
  constructor(failure: FailureCode, message: string, details: FailureDetails = {}) {
    super(CODES[failure] ?? "protocol", message, details);
    this.name = "Failure";
    this.failure = failure;
    this.issues = details.issues;
    this.retryAfterMs = details.retryAfterMs;
    this.nextSeq = details.nextSeq;
    this.allow = details.allow;
  }
}

/** Whether this was thrown to say exactly that. */
export function isFailure(error: unknown, failure?: FailureCode): error is Failure {
  return error instanceof Failure && (failure === undefined || error.failure === failure);
}
