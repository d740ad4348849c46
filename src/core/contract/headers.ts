/**
 * What nodes say beside the bodies: headers over HTTP, metadata of the same names over gRPC.
 *
 * @module
 */
import { digits, FAULT, type Field, oneOf, uuid } from "./fields.ts";
import { invalidBody } from "./parse.ts";
import type { ReportPlace } from "./types.ts";

/** The text of a header; undefined without. One that comes several times is one text with commas. */
export type HeaderOf = (name: string) => string | undefined;

const seq = digits(1);
const gap = oneOf(["0", "1"]);

/**
 * Which report of a stream this is.
 *
 * @throws {Failure} VALIDATION_FAILED
 */
export function readPlace(header: HeaderOf): ReportPlace {
  const place: ReportPlace = {
    stream: readHeader(header, "x-report-stream", uuid),
    seq: readHeader(header, "x-report-seq", seq),
  };
  if ((place.stream === undefined) !== (place.seq === undefined)) {
    const path = place.stream === undefined ? "x-report-stream" : "x-report-seq";
    throw invalidBody([{ path, message: "is missing: a place in a stream has both" }]);
  }
  return readHeader(header, "x-report-gap", gap) === "1" ? { ...place, gap: true } : place;
}

/** No hash is longer. */
const LONGEST_HASH = 128;

/** What the node says its configuration hashes to. */
export function readConfigHash(header: HeaderOf): string | undefined {
  return header("x-config-hash")?.slice(0, LONGEST_HASH).toLowerCase();
}

/**
 * The value of a header.
 *
 * @throws {Failure} VALIDATION_FAILED
 */
export function readHeader<T>(header: HeaderOf, name: string, field: Field<T>): T | undefined {
  const text = header(name);
  if (text === undefined) return undefined;
  const value = field.read(text);
  if (value === FAULT) throw invalidBody([{ path: name, message: `expected ${field.expected}` }]);
  return value;
}
