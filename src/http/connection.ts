/**
 * What a request comes with besides itself.
 *
 * @module
 */
// A stream that is broken at its socket and a body that was not read to its end: no web API shows either.
import type { IncomingMessage, ServerResponse } from "node:http";

/** The connection of a request; empty when a test calls the application itself. */
export interface Connection {
  readonly incoming?: IncomingMessage;
  readonly outgoing?: ServerResponse;
  /** Whoever is at the other end proved that he may be here: the connection no longer counts as a stranger's. */
  readonly admit?: () => void;
}

/** Where a request comes from; "" when nobody knows. */
export function remoteAddress(connection: Connection): string {
  return connection.incoming?.socket.remoteAddress ?? "";
}

/** Whether a part of the request's body has not arrived or was not read. */
export function hasUnreadBody({ incoming }: Connection): boolean {
  if (incoming === undefined || incoming.complete) return false;
  return Number(incoming.headers["content-length"] ?? 0) > 0 || incoming.headers["transfer-encoding"] !== undefined;
}
