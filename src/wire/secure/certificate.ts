/**
 * The certificates that a key gives (RFC 5280), signed with Ed25519 (RFC 8410).
 *
 * Each has one shape, so they are written down here rather than left to a library: loading and first running one took
 * more than all else that a start does.
 *
 * @module
 */
import { bitString, der, integer, objectIdentifier, sequence, tag } from "./der.ts";

/** What certificates differ in. */
export interface CertificateFields {
  /** A positive number, its first byte below 0x80. */
  readonly serial: readonly number[];
  /** Common names of letters, digits, spaces and dots. */
  readonly issuer: string;
  readonly subject: string;
  /** SubjectPublicKeyInfo of the subject. */
  readonly publicKey: ArrayBuffer;
  readonly extensions: readonly Uint8Array[];
}

const ED25519 = sequence(objectIdentifier("1.3.101.112"));
const VERSION_3 = der(0xa0, integer(2));
/**
 * The validity of everything that a key signs: a clock that is wrong (no battery) must not lock a device out. The end is
 * the date of certificates without a well-defined one.
 */
const VALIDITY = sequence(der(tag.utcTime, "700101000000Z"), der(tag.generalizedTime, "99991231235959Z"));

/** The DER of a certificate. */
export async function signCertificate(
  fields: CertificateFields,
  signingKey: CryptoKey,
): Promise<Uint8Array<ArrayBuffer>> {
  const signed = sequence(
    VERSION_3,
    integer(...fields.serial),
    ED25519,
    commonName(fields.issuer),
    VALIDITY,
    commonName(fields.subject),
    new Uint8Array(fields.publicKey),
    der(0xa3, sequence(...fields.extensions)),
  );
  const signature = await crypto.subtle.sign("Ed25519", signingKey, signed);
  return sequence(signed, ED25519, bitString(new Uint8Array(signature)));
}

/** For an authority whose certificates are all leaves. */
export function authorityExtensions(): Uint8Array[] {
  return [
    critical("2.5.29.19", sequence(der(tag.boolean, Uint8Array.of(0xff)), integer(0))),
    critical("2.5.29.15", keyUsage(KEY_CERT_SIGN)),
  ];
}

/**
 * For a TLS server of this name. No authority key identifier: rustls, OpenSSL and Node find the issuer by name, and the
 * authority carries none.
 */
export function serverExtensions(name: string): Uint8Array[] {
  return [
    critical("2.5.29.19", sequence()),
    critical("2.5.29.15", keyUsage(DIGITAL_SIGNATURE)),
    extension("2.5.29.37", sequence(objectIdentifier("1.3.6.1.5.5.7.3.1"))),
    extension("2.5.29.17", sequence(der(DNS_NAME, name))),
  ];
}

const DIGITAL_SIGNATURE = 0;
const KEY_CERT_SIGN = 5;
/** `[2]` of GeneralName. */
const DNS_NAME = 0x82;

/** One bit, counted from the left. */
function keyUsage(bit: number): Uint8Array {
  return bitString(Uint8Array.of(0x80 >> bit), 7 - bit);
}

function critical(identifier: string, value: Uint8Array): Uint8Array {
  return sequence(
    objectIdentifier(identifier),
    der(tag.boolean, Uint8Array.of(0xff)),
    der(tag.octetString, value),
  );
}

function extension(identifier: string, value: Uint8Array): Uint8Array {
  return sequence(objectIdentifier(identifier), der(tag.octetString, value));
}

function commonName(name: string): Uint8Array {
  return sequence(der(tag.set, sequence(objectIdentifier("2.5.4.3"), der(tag.printableString, name))));
}
