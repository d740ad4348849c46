import { systemRandom } from "../../../../src/runtime/random.ts";
import { formatGeneratedKey, parseGeneratedKey } from "../../../../src/generated_key.ts";
import { deriveRoot } from "../../../../src/wire/secure/root_secret.ts";
import { deepEqual, equal, notEqual, test, throws } from "../../../harness.ts";

const COUNTING_KEY = "npk1_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

test("formatGeneratedKey() writes 32 bytes in one spelling", () => {
  equal(formatGeneratedKey(Uint8Array.from({ length: 32 }, (_, at) => at)), COUNTING_KEY);
  for (let round = 0; round < 200; round++) {
    notEqual(parseGeneratedKey(formatGeneratedKey(systemRandom.bytes(32))), null);
  }
  throws(() => formatGeneratedKey(new Uint8Array(31)), RangeError);
});

test("parseGeneratedKey() refuses everything else", () => {
  const almost = [
    "",
    "npk1_",
    COUNTING_KEY.slice(0, -1),
    `${COUNTING_KEY}A`,
    COUNTING_KEY.replace("npk1", "npk2"),
    // The same 256 bits with a surplus bit set.
    `${COUNTING_KEY.slice(0, -1)}9`,
    COUNTING_KEY.replace("A", "+"),
    `${COUNTING_KEY}\n`,
  ];
  for (const key of almost) equal(parseGeneratedKey(key), null, key);
});

test("deriveRoot() gives the same secrets on every runtime", async () => {
  const root = await deriveRoot(COUNTING_KEY);
  equal(hex(await root.derive("proof")), "5bf7d2f64d687ffbfd8333b364dc10c4b5ef7ee6ba4a1c1f3b3bc119f45cc688");
  const stretched = await deriveRoot("password");
  equal(hex(await stretched.derive("proof")), "8cec7bd39a4c78a62d805dddab1fd2dcfbc60d65a6c33cf566b861c420e49d33");
});

test("RootSecret.derive() separates labels and bindings", async () => {
  const root = await deriveRoot(COUNTING_KEY);
  const a = { salt: new Uint8Array([1]), context: new Uint8Array([2]) };
  const b = { salt: new Uint8Array([1]), context: new Uint8Array([3]) };
  const c = { salt: new Uint8Array([4]), context: new Uint8Array([2]) };
  const all = await Promise.all([
    root.derive("certificate authority"),
    root.derive("proof"),
    root.derive("link"),
    root.derive("resume"),
    root.derive("link", a),
    root.derive("link", b),
    root.derive("link", c),
  ]);
  equal(new Set(all.map(hex)).size, all.length);
  deepEqual(await root.derive("link", a), all[4]);
});

test("deriveRoot() stretches keys that keygen did not make", async () => {
  const started = performance.now();
  const root = await deriveRoot(COUNTING_KEY);
  const generatedMs = performance.now() - started;
  const before = performance.now();
  const other = await deriveRoot(`${COUNTING_KEY.slice(0, -1)}9`);
  notEqual(hex(await root.derive("proof")), hex(await other.derive("proof")));
  equal(performance.now() - before > 10 * generatedMs, true);
});

test("RootSecret keys cannot be exported or printed", async () => {
  const root = await deriveRoot(COUNTING_KEY);
  const key = await root.deriveMacKey("link");
  equal(key.extractable, false);
  equal(JSON.stringify(root), "{}");
});

test("deriveRoot() stretches one key at a time, in the order of the calls, and each only once", async () => {
  const done: string[] = [];
  const derive = async (key: string): Promise<string> => {
    const secret = hex(await (await deriveRoot(key)).derive("proof"));
    done.push(key);
    return secret;
  };
  const [first, again] = await Promise.all([derive("chosen 1"), derive("chosen 1"), derive("chosen 2")]);
  equal(first, again);
  deepEqual(done, ["chosen 1", "chosen 1", "chosen 2"]);
  const start = performance.now();
  equal(await derive("chosen 1"), first);
  // Stretching takes several hundred.
  equal(performance.now() - start < 100, true);
});
