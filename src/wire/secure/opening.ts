/**
 * The first bytes of every connection on the tunnel port.
 *
 * Head, 8 bytes: magic "NPSW", version, kind, two flag bytes that belong to the kind.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import type { Conn } from "../../runtime/types.ts";
import { readExact, readUpTo } from "./exact_io.ts";
import { detectForeignOpening, FOREIGN_SAMPLE_BYTES, foreignOpeningError } from "./foreign_opening.ts";

/** What a connection is for. */
export type LinkKind = "control" | "session" | "datagram";

/** What a connection opened with. */
export type LinkOpening =
  /** {@linkcode HELLO_BYTES} bytes for `serverHandshake`. */
  | { readonly kind: "control"; readonly bytes: Uint8Array<ArrayBuffer> }
  /** {@linkcode PREFACE_BYTES} bytes for `parsePreface` and `verifyPreface`. */
  | { readonly kind: "session" | "datagram"; readonly bytes: Uint8Array<ArrayBuffer> };

/** Size of the head. */
export const HEAD_BYTES = 8;
/** Size of a control hello, head included. */
export const HELLO_BYTES = 128;
/** Size of a link preface, head included. */
export const PREFACE_BYTES = 64;

const MAGIC = [0x4e, 0x50, 0x53, 0x57] as const;
const VERSION = 1;
const KIND_CODES = { control: 1, session: 2, datagram: 3 } as const;

/** Writes the head into the start of `bytes`. */
export function writeHead(bytes: Uint8Array, kind: LinkKind): void {
  bytes.set(MAGIC);
  bytes[4] = VERSION;
  bytes[5] = KIND_CODES[kind];
}

/**
 * The kind in a head.
 *
 * @throws {NodePassError} `wire_mismatch` for another protocol or version, `protocol` for anything else
 */
export function parseHead(bytes: Uint8Array): LinkKind {
  if (bytes.length < HEAD_BYTES || MAGIC.some((byte, at) => bytes[at] !== byte)) throw foreignOpeningError(bytes);
  if (bytes[4] !== VERSION) {
    throw new NodePassError(
      "wire_mismatch",
      `Peer speaks version ${bytes[4]} of the secure wire and this end version ${VERSION}: update the older end`,
    );
  }
  switch (bytes[5]) {
    case KIND_CODES.control:
      return "control";
    case KIND_CODES.session:
      return "session";
    case KIND_CODES.datagram:
      return "datagram";
    default:
      throw new NodePassError("protocol", `Peer opened a link of unknown kind ${bytes[5]}: update the older end`);
  }
}

/**
 * Reads the opening of an accepted connection, and not a byte more. The deadline belongs to the caller.
 *
 * @throws {NodePassError} `wire_mismatch` for another protocol or version, `protocol` for noise, `closed` at an early end
 */
export async function readOpening(conn: Pick<Conn, "read">): Promise<LinkOpening> {
  const bytes = new Uint8Array(HELLO_BYTES);
  const head = bytes.subarray(0, HEAD_BYTES);
  const filled = await readUpTo(conn, head);
  if (filled < HEAD_BYTES) {
    const seen = head.subarray(0, filled);
    if (detectForeignOpening(seen) !== null) throw foreignOpeningError(seen);
    throw new NodePassError("closed", `Connection ended after ${filled} bytes of its opening`);
  }
  if (detectForeignOpening(head) === "http") throw foreignOpeningError(await sampleRequest(conn, head));
  const kind = parseHead(head);
  const size = kind === "control" ? HELLO_BYTES : PREFACE_BYTES;
  await readExact(conn, bytes.subarray(HEAD_BYTES, size));
  return { kind, bytes: bytes.subarray(0, size) };
}

async function sampleRequest(conn: Pick<Conn, "read">, head: Uint8Array): Promise<Uint8Array> {
  const sample = new Uint8Array(FOREIGN_SAMPLE_BYTES);
  sample.set(head);
  // The token is in the first packet of a request; a peer that sends less is judged by its first line.
  const count = await conn.read(sample.subarray(head.length)).catch(() => null);
  return sample.subarray(0, head.length + (count ?? 0));
}
