/**
 * A certificate that nobody vouches for: of a master with `tls=1`, of a tunnel server with `wire=1.14`.
 *
 * @module
 */
import { parseIp } from "../address/ip.ts";
import type { Random, ServerCertificate } from "../runtime/types.ts";
import { bitString, der, integer, objectIdentifier, sequence, tag } from "./secure/der.ts";
import { encodePem } from "./secure/pem.ts";

/** What browsers take, too: they know no Ed25519. */
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const ECDSA_SHA256 = sequence(objectIdentifier("1.2.840.10045.4.3.2"));
const VERSION_3 = der(0xa0, integer(2));
/** No clock of a client makes it too young or too old: trust does not come from its dates. */
const VALIDITY = sequence(der(tag.utcTime, "700101000000Z"), der(tag.generalizedTime, "99991231235959Z"));
/** `[2]` and `[7]` of GeneralName. */
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

/**
 * Makes a key and a certificate for it.
 *
 * @param subject whose it is: letters, digits, spaces and dots
 * @param hosts names and addresses that it is for
 */
export async function selfSignedCertificate(
  subject: string,
  hosts: readonly string[],
  random: Random,
): Promise<ServerCertificate> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const [first = 0, ...rest] = random.bytes(16);
  const name = sequence(der(tag.set, sequence(objectIdentifier("2.5.4.3"), der(tag.printableString, subject))));
  const signed = sequence(
    VERSION_3,
    integer(first & 0x7f | 0x40, ...rest),
    ECDSA_SHA256,
    name,
    VALIDITY,
    name,
    new Uint8Array(await crypto.subtle.exportKey("spki", keys.publicKey)),
    der(0xa3, sequence(serverUse(), alternativeNames(hosts))),
  );
  const signature = new Uint8Array(await crypto.subtle.sign(ALGORITHM, keys.privateKey, signed));
  const certificate = sequence(signed, ECDSA_SHA256, bitString(signatureValue(signature)));
  return {
    chainPem: encodePem("CERTIFICATE", certificate),
    keyPem: encodePem("PRIVATE KEY", await crypto.subtle.exportKey("pkcs8", keys.privateKey)),
  };
}

function serverUse(): Uint8Array {
  return extension("2.5.29.37", sequence(objectIdentifier("1.3.6.1.5.5.7.3.1")));
}

function alternativeNames(hosts: readonly string[]): Uint8Array {
  return extension(
    "2.5.29.17",
    sequence(...hosts.map((host) => {
      const ip = parseIp(host);
      return ip === null ? der(DNS_NAME, host) : der(IP_ADDRESS, ip);
    })),
  );
}

function extension(identifier: string, value: Uint8Array): Uint8Array {
  return sequence(objectIdentifier(identifier), der(tag.octetString, value));
}

/** Web crypto gives the two numbers of a signature side by side, a certificate has them as INTEGERs. */
function signatureValue(pair: Uint8Array): Uint8Array {
  return sequence(unsigned(pair.subarray(0, 32)), unsigned(pair.subarray(32)));
}

function unsigned(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const digits = bytes.subarray(start);
  return integer(...((digits[0] ?? 0) >= 0x80 ? [0, ...digits] : digits));
}
