/**
 * Tells a peer that speaks no TLS from one whose TLS failed.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";

/** What rustls and OpenSSL say about first bytes that are no TLS record. */
const NO_RECORD = /InvalidContentType|corrupt message|http request|wrong version number|packet length too long/i;

/** The warning for a peer that sent something else than TLS; null when it did speak TLS. */
export function notTlsError(error: NodePassError): NodePassError | null {
  if (error.code === "wire_mismatch") return error;
  if (error.code !== "protocol" || !NO_RECORD.test(error.message)) return null;
  return new NodePassError(
    "wire_mismatch",
    "A connection without TLS arrived where TLS was expected: set the same tls on both ends; " +
      "for a Go NodePass client set wire=1.14 on this end",
    { cause: error },
  );
}
