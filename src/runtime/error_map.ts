/**
 * What an error of Deno or Node means: the one table from the platforms' names to our codes.
 *
 * @module
 */
import { type ErrorCode, messageOf, NodePassError } from "../errors.ts";

type Meaning = readonly [code: ErrorCode, reason: string];

const reset: Meaning = ["connection_reset", "connection reset by the other side"];
const cutShort: Meaning = ["connection_reset", "the other side ended the connection too early"];
const denied: Meaning = ["permission_denied", "permission denied"];
const unreachable: Meaning = ["unreachable", "no route to the host"];
const timedOut: Meaning = ["timed_out", "timed out"];
const unknownName: Meaning = ["name_not_found", "name not found"];
const closed: Meaning = ["closed", "closed"];
const inUse: Meaning = ["address_in_use", "address already in use"];
const notOurs: Meaning = ["address_not_available", "address not available on this machine"];
const missing: Meaning = ["not_found", "no such file"];
const refused: Meaning = ["connection_refused", "connection refused"];
const tooManyFiles: Meaning = ["limit", "too many open files"];
const diskFull: Meaning = ["no_space", "no space left on device"];

/** By `error.code` (both runtimes), then by `error.name` (Deno's own classes). */
const meanings: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ["ECONNREFUSED", refused],
  ["ConnectionRefused", refused],
  ["ECONNRESET", reset],
  ["ConnectionReset", reset],
  ["ECONNABORTED", reset],
  ["ConnectionAborted", reset],
  ["EPIPE", reset],
  ["BrokenPipe", reset],
  ["ENOTCONN", reset],
  ["NotConnected", reset],
  ["UnexpectedEof", cutShort],
  ["ERR_STREAM_PREMATURE_CLOSE", cutShort],
  ["EADDRINUSE", inUse],
  ["AddrInUse", inUse],
  ["EADDRNOTAVAIL", notOurs],
  ["AddrNotAvailable", notOurs],
  ["EAFNOSUPPORT", notOurs],
  ["EACCES", denied],
  ["EPERM", denied],
  ["EROFS", ["permission_denied", "read-only file system"]],
  ["PermissionDenied", denied],
  ["NotCapable", ["permission_denied", 'Deno was not given the permission, see "nodepass permissions"']],
  ["ERR_ACCESS_DENIED", denied],
  ["EHOSTUNREACH", unreachable],
  ["ENETUNREACH", unreachable],
  ["EHOSTDOWN", unreachable],
  ["ENETDOWN", unreachable],
  ["HostUnreachable", unreachable],
  ["NetworkUnreachable", unreachable],
  ["ETIMEDOUT", timedOut],
  ["ERR_SOCKET_CONNECTION_TIMEOUT", timedOut],
  ["TimedOut", timedOut],
  ["TimeoutError", timedOut],
  ["ENOTFOUND", unknownName],
  ["EAI_AGAIN", unknownName],
  ["EAI_NODATA", unknownName],
  ["EAI_NONAME", unknownName],
  ["ENOENT", missing],
  ["NotFound", missing],
  ["EMFILE", tooManyFiles],
  ["ENFILE", tooManyFiles],
  ["ENOSPC", diskFull],
  ["EDQUOT", diskFull],
  ["ENOBUFS", ["limit", "the system is out of socket buffers"]],
  ["EMSGSIZE", ["limit", "message too long"]],
  ["EBADF", closed],
  ["EINTR", closed],
  ["ECANCELED", closed],
  ["BadResource", closed],
  ["Interrupted", closed],
  ["AbortError", closed],
  ["ERR_STREAM_DESTROYED", closed],
  ["ERR_STREAM_WRITE_AFTER_END", closed],
  ["ERR_SOCKET_CLOSED", closed],
  ["ERR_SOCKET_CLOSED_BEFORE_CONNECTION", closed],
  ["ERR_SOCKET_DGRAM_NOT_RUNNING", closed],
  ["ERR_SERVER_NOT_RUNNING", closed],
]);

/** Codes of OpenSSL and of Node for a chain that does not verify; Deno's `node:tls` uses the same. */
const certificateCode =
  /^(ERR_TLS_CERT|CERT_|CRL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(GET|VERIFY|DECODE|DECRYPT)|INVALID_(CA|PURPOSE)|HOSTNAME_MISMATCH|PATH_LENGTH|ERROR_IN_CERT)/;
/** What rustls says about a chain, and the alerts by which a peer says that it refuses ours. */
const certificateText = /invalid peer certificate|alert:? ?(number \d+ ?)?\S*(unknown ?ca|certificate)/i;
/** TLS records and HTTP heads that are none. */
const protocolCode = /^(ERR_SSL|ERR_TLS|EPROTO|HPE_)/;
const tlsText = /received (corrupt|unexpected|fatal)|handshake|tls/i;
const lookupText = /failed to lookup address/i;

/**
 * The meaning of anything that was thrown; a NodePassError comes back as it is.
 *
 * @param error what a socket, a file or a resolver threw
 * @param action what could not be done: "Cannot listen on :80"
 */
export function toNodePassError(error: unknown, action?: string): NodePassError {
  if (error instanceof NodePassError) return error;
  const [code, reason] = meaningOf(error);
  const message = action === undefined ? reason.charAt(0).toUpperCase() + reason.slice(1) : `${action}: ${reason}`;
  return new NodePassError(code, message, { cause: error });
}

/** The error for a certificate that a platform refused. */
export function badCertificate(error: unknown): NodePassError {
  return new NodePassError("certificate", `Cannot use the certificate: ${messageOf(error)}`, { cause: error });
}

function meaningOf(error: unknown): Meaning {
  const code = fieldOf(error, "code");
  const name = fieldOf(error, "name");
  const known = meanings.get(code) ?? meanings.get(name);
  if (known !== undefined) return known;
  // Deno's `node:net` says this where the system said EADDRNOTAVAIL.
  if (code === "EINVAL" && /^(bind|listen)$/.test(fieldOf(error, "syscall"))) return notOurs;
  const text = reasonText(error);
  if (certificateCode.test(code) || certificateText.test(text) || certificateText.test(code.replaceAll("_", " "))) {
    return ["certificate", text];
  }
  if (protocolCode.test(code) || (name === "InvalidData" && tlsText.test(text))) return ["protocol", text];
  if (lookupText.test(text)) return unknownName;
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined || cause === error ? ["io", text] : meaningOf(cause);
}

function fieldOf(error: unknown, field: "code" | "name" | "syscall"): string {
  const value = typeof error === "object" && error !== null ? (error as Record<string, unknown>)[field] : undefined;
  return typeof value === "string" ? value : "";
}

/** The platform's words without what does not belong into one line: OpenSSL's file names, the last full stop. */
function reasonText(error: unknown): string {
  const line = messageOf(error).split("\n", 1)[0] ?? "";
  const openssl = /^[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/.exec(line);
  return (openssl?.[1] ?? line).trim().replace(/\.$/, "") || "unknown error";
}
