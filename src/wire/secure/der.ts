/**
 * DER: the few types of ASN.1 that a certificate is made of. Written only, never read.
 *
 * @module
 */

/** Tags of ITU-T X.690. */
export const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  printableString: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Text stands for its ASCII bytes. */
type Content = Uint8Array | string;

/** A value of one type. */
export function der(tag: number, ...content: readonly Content[]): Uint8Array<ArrayBuffer> {
  const parts = content.map((part) => typeof part === "string" ? new TextEncoder().encode(part) : part);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = [tag, ...lengthBytes(length)];
  const bytes = new Uint8Array(head.length + length);
  bytes.set(head);
  let end = head.length;
  for (const part of parts) {
    bytes.set(part, end);
    end += part.length;
  }
  return bytes;
}

/** SEQUENCE */
export function sequence(...members: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return der(tag.sequence, ...members);
}

/** INTEGER of its bytes, without a sign bit of their own: a first byte from 0x80 on would make it negative. */
export function integer(...bytes: readonly number[]): Uint8Array<ArrayBuffer> {
  return der(tag.integer, Uint8Array.from(bytes));
}

/** OBJECT IDENTIFIER of dotted decimals such as `2.5.4.3`. */
export function objectIdentifier(dotted: string): Uint8Array<ArrayBuffer> {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return der(tag.objectIdentifier, Uint8Array.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** BIT STRING; `unused` bits at its end do not count. */
export function bitString(bytes: Uint8Array, unused = 0): Uint8Array<ArrayBuffer> {
  return der(tag.bitString, Uint8Array.of(unused), bytes);
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let left = value >>> 7; left > 0; left >>>= 7) digits.unshift(left & 0x7f | 0x80);
  return digits;
}
