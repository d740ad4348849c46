import "reflect-metadata";

// The only way to ask OpenSSL's own verifier, on both runtimes.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import { detectRuntime } from "../../../../src/runtime/detect.ts";
import { systemRandom } from "../../../../src/runtime/random.ts";
import type { Conn, TlsConn, TlsListener } from "../../../../src/runtime/types.ts";
import { AUTHORITY_NAME, deriveAuthority } from "../../../../src/wire/secure/certificate_authority.ts";
import {
  createServerIdentity,
  deriveClientIdentity,
  INTERNAL_NAME,
  leafSha256OfChain,
  sha256,
} from "../../../../src/wire/secure/identity.ts";
import { formatGeneratedKey } from "../../../../src/generated_key.ts";
import { deriveRoot } from "../../../../src/wire/secure/root_secret.ts";
import { deepEqual, equal, match, notEqual, ok, rejects, test } from "../../../harness.ts";

const KEY = "npk1_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const AUTHORITY_SHA256 = "5928201a0f5df3d31aa9a4449059ce24057b414df00fa71a4592efb81501227c";

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

test("deriveAuthority() has the same DER on every runtime", async () => {
  const { certificate: der } = await deriveAuthority(await deriveRoot(KEY));
  equal(hex(await sha256(der)), AUTHORITY_SHA256);
  const certificate = new x509.X509Certificate(der);
  equal(certificate.subject, `CN=${AUTHORITY_NAME}`);
  equal(certificate.notBefore.getTime(), 0);
  equal(certificate.notAfter.toISOString(), "9999-12-31T23:59:59.000Z");
});

test("deriveClientIdentity() of another key is another authority", async () => {
  const other = await deriveClientIdentity(await deriveRoot(formatGeneratedKey(systemRandom.bytes(32))));
  notEqual(other.caPem, (await deriveClientIdentity(await deriveRoot(KEY))).caPem);
});

test("createServerIdentity() signs a fresh leaf for the internal name", async () => {
  const root = await deriveRoot(KEY);
  const [first, second] = [
    await createServerIdentity(root, systemRandom),
    await createServerIdentity(root, systemRandom),
  ];
  notEqual(hex(first.leafSha256), hex(second.leafSha256));
  deepEqual(await leafSha256OfChain(first.chainPem), first.leafSha256);
  const leaf = new x509.X509Certificate(first.chainPem);
  equal(leaf.subject, `CN=${INTERNAL_NAME}`);
  equal(leaf.getExtension("2.5.29.35"), null);
  notEqual(leaf.serialNumber, new x509.X509Certificate(second.chainPem).serialNumber);
  const authority = new x509.X509Certificate((await deriveAuthority(root)).certificate);
  ok(await leaf.verify({ publicKey: authority.publicKey, signatureOnly: true }));
});

test("createServerIdentity() gives the DER that a certificate library gives", async () => {
  const root = await deriveRoot(KEY);
  const { chainPem } = await createServerIdentity(root, systemRandom);
  const leaf = new x509.X509Certificate(chainPem);
  const library = await x509.X509CertificateGenerator.create({
    serialNumber: leaf.serialNumber,
    subject: `CN=${INTERNAL_NAME}`,
    issuer: `CN=${AUTHORITY_NAME}`,
    notBefore: new Date(0),
    notAfter: new Date("9999-12-31T23:59:59Z"),
    publicKey: leaf.publicKey,
    signingKey: (await deriveAuthority(root)).signingKey,
    signingAlgorithm: { name: "Ed25519" },
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: "dns", value: INTERNAL_NAME }]),
    ],
  }, crypto);
  equal(hex(new Uint8Array(leaf.rawData)), hex(new Uint8Array(library.rawData)));
});

test("leafSha256OfChain() takes the first certificate and refuses anything else", async () => {
  const root = await deriveRoot(KEY);
  const server = await createServerIdentity(root, systemRandom);
  const { caPem } = await deriveClientIdentity(root);
  deepEqual(await leafSha256OfChain(`${server.chainPem}\n${caPem}\n`), server.leafSha256);
  for (const text of ["", "no certificate", "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----"]) {
    await rejects(leafSha256OfChain(text), { code: "certificate" });
  }
});

const openssl = spawnSync("openssl", ["version"]).status === 0 ? undefined : "openssl is missing";

test("createServerIdentity() verifies with openssl verify", async () => {
  const root = await deriveRoot(KEY);
  const folder = mkdtempSync(join(tmpdir(), "nodepass-identity-"));
  try {
    writeFileSync(join(folder, "ca.pem"), (await deriveClientIdentity(root)).caPem);
    writeFileSync(join(folder, "leaf.pem"), (await createServerIdentity(root, systemRandom)).chainPem);
    const args = [
      "verify",
      "-purpose",
      "sslserver",
      "-verify_hostname",
      INTERNAL_NAME,
      "-CAfile",
      "ca.pem",
      "leaf.pem",
    ];
    const result = spawnSync("openssl", args, { cwd: folder, encoding: "utf8" });
    match(result.stdout, /leaf\.pem: OK/, result.stderr);
    const stranger = await deriveRoot(formatGeneratedKey(systemRandom.bytes(32)));
    writeFileSync(join(folder, "ca.pem"), (await deriveClientIdentity(stranger)).caPem);
    notEqual(spawnSync("openssl", args, { cwd: folder }).status, 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, { skip: openssl });

/** Accepts one connection and answers one byte. */
async function greetOne(listener: TlsListener): Promise<Conn | null> {
  const conn = await listener.accept();
  try {
    await conn?.handshake();
    await conn?.write(new Uint8Array([7]));
  } catch {
    // The client refused the certificate.
  }
  return conn;
}

for (const wantPeerCertificate of [false, true]) {
  test(`createServerIdentity() serves TLS to a client of the key (peer certificate: ${wantPeerCertificate})`, async () => {
    const { tls } = await detectRuntime();
    const root = await deriveRoot(KEY);
    const certificate = await createServerIdentity(root, systemRandom);
    const listener = await tls.listen({ host: "127.0.0.1", port: 0, certificate });
    const { caPem } = await deriveClientIdentity(root);
    const stranger = await deriveClientIdentity(await deriveRoot(formatGeneratedKey(systemRandom.bytes(32))));
    const connect = (pem: string): Promise<TlsConn> =>
      tls.connect({
        host: "127.0.0.1",
        port: listener.local.port,
        timeoutMs: 5_000,
        serverName: INTERNAL_NAME,
        trust: { kind: "only", caPem: pem },
        wantPeerCertificate,
      });
    const accepted: (Conn | null)[] = [];
    try {
      const greeting = greetOne(listener);
      const conn = await connect(caPem);
      const bytes = new Uint8Array(1);
      equal(await conn.read(bytes), 1);
      equal(bytes[0], 7);
      if (wantPeerCertificate) deepEqual(await sha256(conn.peerCertificate!), certificate.leafSha256);
      conn.close();
      accepted.push(await greeting);
      const refused = greetOne(listener);
      await rejects(connect(stranger.caPem), { code: "certificate" });
      accepted.push(await refused);
    } finally {
      for (const conn of accepted) conn?.close();
      listener.close();
    }
  });
}
