import { credentials, status as Status } from "@grpc/grpc-js";
// What the library wants its bytes in, and a client that shows how a handshake ends.
import { Buffer } from "node:buffer";
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { NodePassError } from "../../../../src/errors.ts";
import type { SocketAddress } from "../../../../src/runtime/types.ts";
import { createAuthority } from "../../../conformance/runtime_certificates.ts";
import { equal, ok, rejects, test, throws } from "../../../harness.ts";
import { methods, NodeClient, openDoor } from "./door_fixture.ts";

const NAME = "core.test";
// Deno refuses to ask for the certificate of an address.
const named = { "grpc.ssl_target_name_override": NAME };

/** The first bytes of HTTP/2. */
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", "latin1");
const SETTINGS = 4;

/** Whether whoever connects so gets an answer in HTTP/2; with null without TLS. */
async function isServed({ host, port }: SocketAddress, tls: ConnectionOptions | null): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket: Socket = tls === null
    ? connectPlain({ host, port })
    : connectTls({ host, port, servername: NAME, ALPNProtocols: ["h2"], ...tls });
  socket.on(tls === null ? "connect" : "secureConnect", () => socket.write(PREFACE));
  socket.on("data", (bytes) => resolve(bytes[3] === SETTINGS));
  socket.on("error", () => resolve(false));
  socket.on("close", () => resolve(false));
  const served = await promise;
  const closed = new Promise((done) => socket.closed ? done(null) : socket.once("close", done));
  socket.destroy();
  await closed;
  return served;
}

test("startGrpc: TLS for those who know the authority, nothing for the others", async () => {
  const [authority, other] = [await createAuthority("Fleet"), await createAuthority("Another")];
  const { chainPem, keyPem } = await authority.issue([NAME]);
  const { door, noted } = await openDoor({ tls: { chainPem, keyPem, clientCaPem: null } });
  const client = new NodeClient(door, credentials.createSsl(Buffer.from(authority.caPem)), named);
  equal((await client.call(methods.heartbeat, {})).code, Status.OK);
  client.close();
  equal(await isServed(door.addr, { ca: authority.caPem }), true);
  equal(await isServed(door.addr, { ca: authority.caPem, maxVersion: "TLSv1.2" }), true);
  equal(await isServed(door.addr, { ca: other.caPem }), false);
  equal(await isServed(door.addr, null), false);
  equal(noted.length, 1);
  await door.close({ graceMs: 1_000 });
});

test("startGrpc: with an authority for clients only those with its certificate come in", async () => {
  const [authority, fleet, other] = await Promise.all(["Core", "Fleet", "Another"].map(createAuthority));
  ok(authority !== undefined && fleet !== undefined && other !== undefined);
  const { chainPem, keyPem } = await authority.issue([NAME]);
  const { door, noted } = await openDoor({ tls: { chainPem, keyPem, clientCaPem: fleet.caPem } });
  const [ca, leaf, stranger] = [authority.caPem, await fleet.issue(["node.test"]), await other.issue(["node.test"])];
  const channel = credentials.createSsl(Buffer.from(ca), Buffer.from(leaf.keyPem), Buffer.from(leaf.chainPem));
  const client = new NodeClient(door, channel, named);
  equal((await client.call(methods.heartbeat, {})).code, Status.OK);
  client.close();
  equal(await isServed(door.addr, { ca, cert: leaf.chainPem, key: leaf.keyPem }), true);
  equal(await isServed(door.addr, { ca }), false);
  equal(await isServed(door.addr, { ca, cert: stranger.chainPem, key: stranger.keyPem }), false);
  equal(noted.length, 1);
  await door.close({ graceMs: 1_000 });
});

test("setCertificate: new connections see the new one, a wrong one changes nothing", async () => {
  const [authority, later] = [await createAuthority("Fleet"), await createAuthority("Later")];
  const [first, second] = [await authority.issue([NAME]), await later.issue([NAME])];
  const { door } = await openDoor({ tls: { ...first, clientCaPem: null } });
  equal(await isServed(door.addr, { ca: later.caPem }), false);
  door.setCertificate({ ...second, clientCaPem: null });
  equal(await isServed(door.addr, { ca: later.caPem }), true);
  equal(await isServed(door.addr, { ca: authority.caPem }), false);
  throws(() => door.setCertificate({ ...first, keyPem: second.keyPem, clientCaPem: null }), isCertificateError);
  equal(await isServed(door.addr, { ca: later.caPem }), true);
  await door.close({ graceMs: 1_000 });
});

test("startGrpc: a certificate that is none, or another's key, says so", async () => {
  const authority = await createAuthority("Fleet");
  const [{ chainPem }, { keyPem }] = [await authority.issue([NAME]), await authority.issue([NAME])];
  for (const pair of [{ chainPem: "no", keyPem: "no" }, { chainPem, keyPem }]) {
    await rejects(openDoor({ tls: { ...pair, clientCaPem: null } }), isCertificateError);
  }
});

function isCertificateError(error: unknown): boolean {
  return error instanceof NodePassError && error.code === "certificate";
}
