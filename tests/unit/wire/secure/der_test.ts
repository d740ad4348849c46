import { bitString, der, integer, objectIdentifier, sequence, tag } from "../../../../src/wire/secure/der.ts";
import { encodePem, firstCertificate } from "../../../../src/wire/secure/pem.ts";
import { deepEqual, equal, test } from "../../../harness.ts";

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

test("der() writes short and long lengths", () => {
  equal(hex(der(tag.octetString)), "0400");
  for (
    const [length, head] of [[127, "047f"], [128, "048180"], [255, "0481ff"], [256, "04820100"], [700, "048202bc"]]
  ) {
    const bytes = der(tag.octetString, new Uint8Array(Number(length)));
    equal(hex(bytes).slice(0, String(head).length), head);
    equal(bytes.length, Number(length) + String(head).length / 2);
  }
});

test("objectIdentifier() writes numbers above 127 in several bytes", () => {
  equal(hex(objectIdentifier("1.2.840.113549.1.1.11")), "06092a864886f70d01010b");
  equal(hex(objectIdentifier("2.5.4.3")), "0603550403");
});

test("sequence(), integer() and bitString() nest", () => {
  equal(hex(sequence(integer(2), bitString(Uint8Array.of(0x80), 7))), "300702010203020780");
});

test("encodePem() breaks at 64 characters and firstCertificate() reads it back", () => {
  for (const length of [0, 1, 48, 49, 500]) {
    const bytes = Uint8Array.from({ length }, (_, index) => index & 0xff);
    const pem = encodePem("CERTIFICATE", bytes);
    equal(pem.split("\n").every((line) => line.length <= 64), true);
    if (length > 0) deepEqual(firstCertificate(`text before\n${pem}\n${pem}\n`), bytes);
  }
});

test("firstCertificate() gives null for what is none", () => {
  for (const body of ["", "*", "A"]) {
    equal(firstCertificate(`-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----`), null);
  }
  equal(firstCertificate(encodePem("PRIVATE KEY", new Uint8Array(9))), null);
});
