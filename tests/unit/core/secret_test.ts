import { Buffer } from "node:buffer";
import { createPublicKey, verify } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { createCoreSecret } from "../../../src/core/secret.ts";
import { loadSecret, secretFile } from "../../../src/core/secret_file.ts";
import { detectRuntime } from "../../../src/runtime/detect.ts";
import { withFolder } from "../../conformance/core_folder.ts";
import { equal, match, notEqual, ok, rejects, test } from "../../harness.ts";

const runtime = await detectRuntime();
const text = "a secret of thirty-two characters";

test("core secret: the same text makes the same keys, another one others", async () => {
  const [a, b, other] = await Promise.all(
    [text, text, `${text}!`].map((each) => createCoreSecret(each, runtime.clock)),
  );
  ok(a !== undefined && b !== undefined && other !== undefined);
  equal(a.publicKey, b.publicKey);
  notEqual(a.publicKey, other.publicKey);
  ok(a.equal(a.hash("key"), b.hash("key")));
  ok(!a.equal(a.hash("key"), other.hash("key")));
  ok(!a.equal(a.hash("key"), a.hash("kex")));
  ok(!a.equal(a.hash("key"), new Uint8Array()));
  equal(a.hash("").length, 32);
  // Keys and tokens of databases that exist are stored so.
  equal(Buffer.from(a.hash("kéy")).toString("hex"), "74b4ac54e5e127328112b8e32fd2fb907e03c05628cb017468213b187405ad0b");
  match(a.publicKey, /^[\w-]{43}$/);
});

test("core secret: the public key proves tokens, which name their node and their end", async () => {
  const secret = await createCoreSecret(text, { wall: () => 1_000 });
  const [body = "", signature = ""] = (await secret.signToken(17, 30_000)).split(".");
  equal(Buffer.from(body, "base64url").toString(), '{"aud":17,"exp":31000,"use":"runtime-status"}');
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: secret.publicKey }, format: "jwk" });
  ok(verify(null, Buffer.from(body), key, Buffer.from(signature, "base64url")));
  ok(!verify(null, Buffer.from(`${body}x`), key, Buffer.from(signature, "base64url")));
});

test("core secret: made once beside the database, for its owner alone", () =>
  withFolder(async (folder) => {
    const settings = { secret: null, database: { kind: "sqlite", path: join(folder, "core.db") } } as const;
    const made = await loadSecret(settings, runtime);
    match(made, /^[\w-]{43}$/);
    equal(await loadSecret(settings, runtime), made);
    equal((await stat(secretFile(settings.database.path))).mode & 0o777, 0o600);
    equal(await loadSecret({ ...settings, secret: text }, runtime), text);
    await runtime.files.writeAtomically(secretFile(settings.database.path), new TextEncoder().encode("x"), {
      mode: 0o600,
    });
    await rejects(loadSecret(settings, runtime), /expected the 32 or more characters/);
  }));
