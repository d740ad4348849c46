import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { selfSignedCertificate } from "../../../src/wire/self_signed.ts";
import { detectRuntime } from "../../../src/runtime/detect.ts";
import type { ServerCertificate } from "../../../src/runtime/types.ts";
import { encodePem } from "../../../src/wire/secure/pem.ts";
import { createAuthority } from "../../conformance/runtime_certificates.ts";
import { equal, match, ok, test } from "../../harness.ts";
import { fakeMaster, KEY, masterTest } from "./fake_master.ts";
import { rawSocket, untilClosed } from "./raw.ts";

/** A request whose response is read as it comes. */
function get(port: number, path: string, ca: string, servername: string): Promise<import("node:http").IncomingMessage> {
  return new Promise((resolve, reject) => {
    https.get({ host: "127.0.0.1", port, path, ca, servername, agent: false, headers: { "X-API-Key": KEY } }, resolve)
      .on("error", reject);
  });
}

/** The serial number that a server shows now. */
function serialOf(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256 ?? "");
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

test("selfSignedCertificate is one that Node and browsers can check", async () => {
  const { random } = await detectRuntime();
  const { chainPem, keyPem } = await selfSignedCertificate(
    "NodePass",
    ["localhost", "127.0.0.1", "::1", "192.0.2.7"],
    random,
  );
  const certificate = new X509Certificate(chainPem);
  ok(certificate.verify(certificate.publicKey));
  ok(certificate.checkHost("localhost"));
  for (const ip of ["127.0.0.1", "::1", "192.0.2.7"]) ok(certificate.checkIP(ip), ip);
  match(keyPem, /^-----BEGIN PRIVATE KEY-----/);
});

masterTest(
  "serve: tls=1 shows a certificate made at the start",
  { url: "master://127.0.0.1:0?tls=1" },
  async ({ port }) => {
    const chain = await new Promise<string>((resolve, reject) => {
      const socket = tls.connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
        resolve(encodePem("CERTIFICATE", socket.getPeerCertificate().raw));
        socket.destroy();
      });
      socket.on("error", reject);
    });
    const response = await get(port, "/api/v1/info", chain, "localhost");
    equal(response.statusCode, 200);
    let text = "";
    for await (const chunk of response) text += chunk;
    equal(JSON.parse(text).tls, "1");
  },
);

masterTest(
  "serve: a TLS handshake that does not come ends in time",
  { url: "master://127.0.0.1:0?tls=1", limits: { headersMs: 600, guests: { openingMs: 1_000 } } },
  async ({ port }) => {
    const silent = untilClosed(await rawSocket(port));
    const plain = await rawSocket(port);
    const refused = untilClosed(plain);
    plain.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ok((await silent).ms < 1_900);
    ok((await refused).ms < 1_900);
  },
);

test("serve: certificate files are reloaded while streams go on; bad ones change nothing", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nodepass-tls-"));
  const [chain, key] = [join(folder, "chain.pem"), join(folder, "key.pem")];
  const write = async (certificate: ServerCertificate): Promise<void> => {
    await writeFile(chain, certificate.chainPem);
    await writeFile(key, certificate.keyPem);
  };
  const authority = await createAuthority("Test");
  await write(await authority.issue(["master.test"]));
  const master = await fakeMaster({ url: `master://127.0.0.1:0?tls=2&crt=${chain}&key=${key}` });
  try {
    const stream = await get(master.port, "/api/v1/events", authority.caPem, "master.test");
    let received = "";
    stream.setEncoding("utf8").on("data", (text: string) => received += text);
    const before = await serialOf(master.port);
    await master.listener.reload();
    equal(await serialOf(master.port), before);
    await writeFile(key, "nonsense");
    await master.listener.reload();
    equal(await serialOf(master.port), before);
    await write(await authority.issue(["master.test"]));
    await master.listener.reload();
    ok(await serialOf(master.port) !== before);
    const [sink] = (master.parts.hub as unknown as { sinks: Set<{ write(text: string): void }> }).sinks;
    const more = new Promise((resolve) => stream.once("data", resolve));
    sink!.write("data: still here\n\n");
    await more;
    match(received, /still here/);
    stream.destroy();
  } finally {
    await master.close();
    await rm(folder, { recursive: true });
  }
});

test("serve: a certificate that cannot be used is an error at the start", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nodepass-tls-"));
  try {
    const authority = await createAuthority("Test");
    const [one, other] = [await authority.issue(["a.test"]), await authority.issue(["b.test"])];
    await writeFile(join(folder, "chain.pem"), one.chainPem);
    await writeFile(join(folder, "key.pem"), other.keyPem);
    const url = `master://127.0.0.1:0?tls=2&crt=${folder}/chain.pem&key=${folder}/key.pem`;
    const error = await fakeMaster({ url }).then(() => null, (error) => error);
    equal(error?.code, "certificate");
    equal(error?.message, "Cannot use the certificate: the private key does not belong to it");
    const missing = await fakeMaster({ url: url.replace("chain", "nothing") }).then(() => null, (error) => error);
    equal(missing?.code, "not_found");
  } finally {
    await rm(folder, { recursive: true });
  }
});
