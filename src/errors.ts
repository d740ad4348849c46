/**
 * The one error class of nodepass and its list of codes.
 *
 * @module
 */

/** What went wrong, for programs. The message is for people. */
export type ErrorCode =
  /** A URL, parameter, flag, file or environment value is not acceptable. */
  | "usage"
  /** The address is taken by another socket. */
  | "address_in_use"
  /** The address does not belong to this machine. */
  | "address_not_available"
  /** The operating system or the runtime's permissions refuse it. */
  | "permission_denied"
  /** Nobody listens there. */
  | "connection_refused"
  /** The other side broke the connection. */
  | "connection_reset"
  /** No route to the host or the network. */
  | "unreachable"
  /** A deadline passed. */
  | "timed_out"
  /** A host name does not resolve. */
  | "name_not_found"
  /** A file does not exist. */
  | "not_found"
  /** The thing was closed by its owner. */
  | "closed"
  /** The other side broke the rules of the protocol. */
  | "protocol"
  /** The other side could not prove that it knows the key. */
  | "wrong_key"
  /** The other side speaks another wire, transport or TLS mode. */
  | "wire_mismatch"
  /** A certificate did not verify. */
  | "certificate"
  /** A configured limit is reached. */
  | "limit"
  /** The runtime or this version cannot do it. */
  | "not_supported"
  /** No room is left on the disk. */
  | "no_space"
  /** Another program holds it. */
  | "locked"
  /** A file is not what was written to it. */
  | "corrupt"
  /** The operating system reported something else. */
  | "io";

/** Options of {@linkcode NodePassError}. */
export interface NodePassErrorOptions {
  /** The error underneath, kept for the log. */
  cause?: unknown;
}

/**
 * Every error that nodepass throws on purpose.
 *
 * The message says the action first, names the value and has no full stop:
 * "Cannot bind tunnel port 80: permission denied".
 *
 * @example
 * ```ts
 * import { NodePassError } from "nodepass";
 *
 * const error = new NodePassError("usage", 'Parameter "slot" is "abc": expected an integer >= 0');
 * console.log(error.code); // "usage"
 * ```
 */
export class NodePassError extends Error {
  /** What went wrong, for programs. */
  readonly code: ErrorCode;

  /**
   * An error with a code and the error underneath.
   *
   * @param code what went wrong, for programs
   * @param message what went wrong, for people
   * @param options the error underneath
   */
  constructor(code: ErrorCode, message: string, options: NodePassErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "NodePassError";
    this.code = code;
  }
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
