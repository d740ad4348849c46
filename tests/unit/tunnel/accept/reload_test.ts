import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deepEqual, equal, ok, rejects, test } from "../../../harness.ts";
import { systemRandom } from "../../../../src/runtime/random.ts";
import { createServerIdentity, deriveClientIdentity } from "../../../../src/wire/secure/identity.ts";
import { formatGeneratedKey } from "../../../../src/generated_key.ts";
import { deriveRoot } from "../../../../src/wire/secure/root_secret.ts";
import { address, connectTo, exchangeWith, GOOD_MARK, openFrontDoor } from "./front_door.ts";
import { preface, text } from "./openings.ts";

/** A certificate for `nodepass.internal`, and the authority that signed it. */
async function issue(): Promise<{ chainPem: string; keyPem: string; leafSha256: Uint8Array; caPem: string }> {
  const root = await deriveRoot(formatGeneratedKey(systemRandom.bytes(32)));
  return { ...await createServerIdentity(root, systemRandom), ...await deriveClientIdentity(root) };
}

test("Acceptor.reload shows new certificate files to new links and keeps the old links", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nodepass-accept-"));
  const [crt, key] = [join(folder, "chain.pem"), join(folder, "key.pem")];
  const write = async (certificate: { chainPem: string; keyPem: string }): Promise<void> => {
    await Promise.all([writeFile(crt, certificate.chainPem), writeFile(key, certificate.keyPem)]);
  };
  const [first, second] = [await issue(), await issue()];
  await write(first);
  const door = await openFrontDoor(`2&crt=${crt}&key=${key}`);
  const open = async (caPem: string): Promise<Awaited<ReturnType<typeof connectTo>>> => {
    const conn = await connectTo({ ...door, caPem }, address(1));
    await exchangeWith(conn, preface(GOOD_MARK), 0);
    await exchangeWith(conn, text("before"), 6);
    return conn;
  };
  try {
    const old = await open(first.caPem);
    await write({ chainPem: second.chainPem, keyPem: first.keyPem });
    await door.acceptor.reload();
    equal(door.logger.of("error").length, 1);
    deepEqual(door.acceptor.leafSha256(), first.leafSha256);
    (await open(first.caPem)).close();

    await write(second);
    await door.acceptor.reload();
    equal(door.logger.of("error").length, 1);
    deepEqual(door.acceptor.leafSha256(), second.leafSha256);
    const fresh = await open(second.caPem);
    await rejects(open(first.caPem));
    await exchangeWith(old, text("after"), 5);
    ok(door.port === door.acceptor.local.port);
    old.close();
    fresh.close();
  } finally {
    door.close();
    await rm(folder, { recursive: true });
  }
});
