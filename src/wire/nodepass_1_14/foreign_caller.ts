/**
 * Recognises what other programs say where a handshake is expected, so that a message can say which parameter to set.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";

const SECURE_MAGIC = "NPSW";
const HANDSHAKE_RECORD = 0x16;
const ALERT_RECORD = 0x15;

/** Whether these are the first bytes of a TLS record of any version; no text begins so. */
export function isTls(bytes: Uint8Array): boolean {
  return bytes[0] === HANDSHAKE_RECORD || bytes[0] === ALERT_RECORD;
}

/** Whether these are the first bytes of wire=secure. */
export function isSecureWire(bytes: Uint8Array): boolean {
  return bytes.length >= SECURE_MAGIC.length &&
    String.fromCharCode(...bytes.subarray(0, SECURE_MAGIC.length)) === SECURE_MAGIC;
}

/** Who called, when it is no client of this wire; null while it may be one. */
export function foreignCaller(bytes: Uint8Array): NodePassError | null {
  if (isSecureWire(bytes)) {
    return new NodePassError("wire_mismatch", "A client of wire=secure called: set the same wire on both ends");
  }
  if (isTls(bytes)) {
    return new NodePassError(
      "wire_mismatch",
      "A TLS client called, but a handshake of wire=1.14 is plain HTTP: a client of wire=secure needs wire=secure on " +
        "both ends, a Go NodePass client uses TLS here only on port 443",
    );
  }
  return null;
}

/** The client whose request asks for a WebSocket. */
export function webSocketCaller(): NodePassError {
  return new NodePassError(
    "wire_mismatch",
    "A WebSocket client called, which wire=1.14 does not have: set the same wire on both ends, and type=0",
  );
}
