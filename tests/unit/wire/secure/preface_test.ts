import fc from "fast-check";
import { systemRandom } from "../../../../src/runtime/random.ts";
import { PREFACE_BYTES } from "../../../../src/wire/secure/opening.ts";
import { encodePreface, parsePreface, type Preface, verifyPreface } from "../../../../src/wire/secure/preface.ts";
import { formatGeneratedKey } from "../../../../src/generated_key.ts";
import { deriveRoot } from "../../../../src/wire/secure/root_secret.ts";
import { deepEqual, equal, test, throws } from "../../../harness.ts";

const PREFACE: Preface = { kind: "session", clientId: "00112233445566778899aabbccddeeff", counter: 258 };

async function newLinkKey(): Promise<CryptoKey> {
  const root = await deriveRoot(formatGeneratedKey(systemRandom.bytes(32)));
  return await root.deriveMacKey("link");
}

test("encodePreface() writes 64 bytes in the documented order", async () => {
  const bytes = await encodePreface(await newLinkKey(), PREFACE);
  equal(bytes.length, PREFACE_BYTES);
  const start = [0x4e, 0x50, 0x53, 0x57, 1, 2, 0, 0];
  const id = [0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff];
  deepEqual([...bytes.subarray(0, 32)], [...start, ...id, 0, 0, 0, 0, 0, 0, 1, 2]);
});

test("parsePreface() reads what encodePreface() wrote, at any offset of a larger buffer", async () => {
  const key = await newLinkKey();
  const anyId = fc.uint8Array({ minLength: 16, maxLength: 16 });
  await fc.assert(fc.asyncProperty(fc.boolean(), anyId, fc.maxSafeNat(), async (datagram, id, counter) => {
    const clientId = Array.from(id, (byte) => byte.toString(16).padStart(2, "0")).join("");
    const preface: Preface = { kind: datagram ? "datagram" : "session", clientId, counter };
    const larger = new Uint8Array(PREFACE_BYTES + 7);
    larger.set(await encodePreface(key, preface), 7);
    const bytes = larger.subarray(7);
    deepEqual(parsePreface(bytes), preface);
    equal(await verifyPreface(key, bytes), true);
  }));
});

test("verifyPreface() refuses every changed bit and every other key", async () => {
  const key = await newLinkKey();
  const bytes = await encodePreface(key, PREFACE);
  equal(await verifyPreface(await newLinkKey(), bytes), false);
  for (let bit = 0; bit < PREFACE_BYTES * 8; bit++) {
    const changed = bytes.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    equal(await verifyPreface(key, changed), false, `bit ${bit}`);
  }
});

test("parsePreface() refuses other sizes, kinds, versions and counters", async () => {
  const bytes = await encodePreface(await newLinkKey(), PREFACE);
  throws(() => parsePreface(bytes.subarray(0, 63)), { code: "protocol" });
  throws(() => parsePreface(new Uint8Array([...bytes, 0])), { code: "protocol" });
  for (
    const [at, value, code] of [[0, 0, "protocol"], [4, 2, "wire_mismatch"], [5, 1, "protocol"], [5, 9, "protocol"], [
      24,
      1,
      "protocol",
    ]] as const
  ) {
    const changed = bytes.slice();
    changed[at] = value;
    throws(() => parsePreface(changed), { code });
  }
});
