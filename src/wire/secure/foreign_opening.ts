/**
 * Recognises what other programs send first, so that a message can say which parameter to set.
 *
 * @module
 */
import { toHex } from "../../bytes/hex.ts";
import { NodePassError } from "../../errors.ts";

/** Another protocol where ours was expected; `go`: the handshake of a Go NodePass client. */
export type ForeignOpening = "tls" | "http" | "go";

/** Enough of a request to see the token of a Go client. */
export const FOREIGN_SAMPLE_BYTES = 1_024;

const HTTP_OPENING = /^(?:HTTP\/1\.|(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE) )/;
const GO_TOKEN = /^GET \/ [^]*\r\nauthorization: *bearer [0-9a-f]{64}\r/i;
const SHOWN_BYTES = 8;

/** Which other protocol these first bytes belong to; null when none is recognised. Eight bytes settle all but `go`. */
export function detectForeignOpening(bytes: Uint8Array): ForeignOpening | null {
  if (isTlsRecord(bytes)) return "tls";
  const text = String.fromCharCode(...bytes.subarray(0, FOREIGN_SAMPLE_BYTES));
  if (GO_TOKEN.test(text)) return "go";
  return HTTP_OPENING.test(text) ? "http" : null;
}

/** Says what arrived where a link was expected, and what to do about it. */
export function foreignOpeningError(bytes: Uint8Array): NodePassError {
  switch (detectForeignOpening(bytes)) {
    case "tls":
      return new NodePassError(
        "wire_mismatch",
        "A TLS hello arrived where plain was expected: set tls=1 on the server, or take tls out of the client's URL",
      );
    case "go":
      return new NodePassError("wire_mismatch", "A Go NodePass client called: set wire=1.14 on this end");
    case "http":
      return new NodePassError(
        "wire_mismatch",
        "An HTTP message arrived where a tunnel link was expected: for a Go NodePass peer set wire=1.14 on this end, " +
          "for links through an HTTP proxy set type=2 on both ends",
      );
    case null:
      return new NodePassError(
        "protocol",
        `Unknown opening ${toHex(bytes.subarray(0, SHOWN_BYTES))}: the peer is no NodePass of wire=secure`,
      );
  }
}

/** A handshake or alert record of any version. */
function isTlsRecord(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && (bytes[0] === 0x16 || bytes[0] === 0x15) && bytes[1] === 0x03;
}
