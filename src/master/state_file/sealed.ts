/**
 * JSON files that show whether they are what was written.
 *
 * @module
 */
import { toHex } from "../../bytes/hex.ts";
import { NodePassError } from "../../errors.ts";

/** What JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json | undefined };

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** One line of JSON: the checksum over the members, then the members. */
export async function seal(members: Readonly<Record<string, Json>>): Promise<Uint8Array<ArrayBuffer>> {
  const body = canonicalJson(members);
  return encoder.encode(`{"checksum":"${await checksumOf(body)}",${body.slice(1)}`);
}

/**
 * The members behind a checksum that fits.
 *
 * @throws {NodePassError} code `corrupt`
 */
export async function unseal(bytes: Uint8Array): Promise<Readonly<Record<string, Json>>> {
  const { checksum, ...members } = parse(bytes);
  if (typeof checksum !== "string") throw new NodePassError("corrupt", "It has no checksum");
  if (checksum !== await checksumOf(canonicalJson(members))) {
    throw new NodePassError("corrupt", "Its checksum does not fit its contents");
  }
  return members;
}

function parse(bytes: Uint8Array): Readonly<Record<string, Json>> {
  if (bytes.length === 0) throw new NodePassError("corrupt", "It is empty");
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch (error) {
    throw new NodePassError("corrupt", "It is not JSON, or cut short", { cause: error });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new NodePassError("corrupt", "It is not a JSON object");
  }
  return value as Record<string, Json>;
}

/** SHA-256 in lower-case hex. */
async function checksumOf(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
  return toHex(digest);
}

/** JSON without blanks, members in the order of their names: the same value is always the same text. */
export function canonicalJson(value: Json): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const parts: string[] = [];
  for (const name of Object.keys(value).sort()) {
    const member = value[name];
    if (member !== undefined) parts.push(`${JSON.stringify(name)}:${canonicalJson(member)}`);
  }
  return `{${parts.join(",")}}`;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
