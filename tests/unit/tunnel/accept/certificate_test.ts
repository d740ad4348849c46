import { deepEqual, equal, match, notEqual, ok, rejects, test } from "../../../harness.ts";
import type { Conn } from "../../../../src/runtime/types.ts";
import { systemRandom } from "../../../../src/runtime/random.ts";
import { openAcceptor } from "../../../../src/tunnel/accept/acceptor.ts";
import type { AcceptHandlers } from "../../../../src/tunnel/accept/types.ts";
import { createServerIdentity, type ServerIdentity } from "../../../../src/wire/secure/identity.ts";
import { formatGeneratedKey } from "../../../../src/generated_key.ts";
import { deriveRoot } from "../../../../src/wire/secure/root_secret.ts";
import { MemoryConn, memoryPort, settle } from "./memory_port.ts";
import { hello, preface } from "./openings.ts";

const handlers: AcceptHandlers = { control: () => Promise.resolve(), link: () => Promise.resolve(true) };
const filesQuery = "tls=2&crt=/chain.pem&key=/key.pem";

async function identity(): Promise<ServerIdentity> {
  return await createServerIdentity(await deriveRoot(formatGeneratedKey(systemRandom.bytes(32))), systemRandom);
}

test("openAcceptor has no leaf in clear and the derived one with tls=1", async () => {
  const clear = await openAcceptor(memoryPort("tls=0").context, null, handlers);
  equal(clear.leafSha256(), null);
  clear.close();
  const derived = await identity();
  const acceptor = await openAcceptor(memoryPort("tls=1").context, derived, handlers);
  deepEqual(acceptor.leafSha256(), derived.leafSha256);
  acceptor.close();
});

test("openAcceptor refuses to start with certificate files that are no good", async () => {
  const { context, files } = memoryPort(filesQuery);
  await rejects(openAcceptor(context, null, handlers), /Cannot read crt file "\/chain.pem"/);
  const { chainPem, keyPem } = await identity();
  files.set("/chain.pem", chainPem).set("/key.pem", chainPem);
  await rejects(openAcceptor(context, null, handlers), /Cannot use key file "\/key.pem": it holds no private key/);
  files.set("/chain.pem", keyPem).set("/key.pem", keyPem);
  await rejects(openAcceptor(context, null, handlers), /Cannot use crt file "\/chain.pem": Cannot find a certificate/);
});

test("openAcceptor finds the leaf behind a private key in the same file", async () => {
  const { context, files } = memoryPort(filesQuery);
  const { chainPem, keyPem, leafSha256 } = await identity();
  files.set("/chain.pem", `${keyPem}\n${chainPem}\n${(await identity()).chainPem}`).set("/key.pem", keyPem);
  const acceptor = await openAcceptor(context, null, handlers);
  deepEqual(acceptor.leafSha256(), leafSha256);
  acceptor.close();
});

test("openAcceptor reads its files again on reload and at every interval, and only swaps what changed", async () => {
  const { context, files, clock, listener } = memoryPort(filesQuery);
  const [first, second, third] = [await identity(), await identity(), await identity()];
  files.set("/chain.pem", first.chainPem).set("/key.pem", first.keyPem);
  const acceptor = await openAcceptor(context, null, handlers);
  await acceptor.reload();
  equal(listener.certificates.length, 0);

  files.set("/chain.pem", second.chainPem).set("/key.pem", second.keyPem);
  await acceptor.reload();
  deepEqual(listener.certificates, [{ chainPem: second.chainPem, keyPem: second.keyPem }]);
  deepEqual(acceptor.leafSha256(), second.leafSha256);

  files.set("/chain.pem", third.chainPem).set("/key.pem", third.keyPem);
  clock.advance(3_600_000);
  await acceptor.reload();
  await settle();
  deepEqual(acceptor.leafSha256(), third.leafSha256);
  equal(listener.certificates.length, 2);
  acceptor.close();
  equal(clock.pending, 0);
});

test("openAcceptor keeps the old certificate when the new one is no good, with one error line", async () => {
  const { context, files, listener, logger } = memoryPort(filesQuery);
  const [first, second] = [await identity(), await identity()];
  files.set("/chain.pem", first.chainPem).set("/key.pem", first.keyPem);
  const acceptor = await openAcceptor(context, null, handlers);

  files.set("/chain.pem", "not a certificate");
  await acceptor.reload();
  match(String(logger.lines[0]?.fields["reason"]), /Cannot use crt file/);
  files.set("/chain.pem", second.chainPem);
  listener.refuse = new Error("certificate and private key do not match");
  await acceptor.reload();
  equal(logger.of("error").length, 2);
  deepEqual(acceptor.leafSha256(), first.leafSha256);

  listener.refuse = null;
  await acceptor.reload();
  deepEqual(acceptor.leafSha256(), second.leafSha256);
  acceptor.close();
});

test("Acceptor.leafSha256 remembers which leaf a connection was shown", async () => {
  const { context, files, listener } = memoryPort(filesQuery);
  const [first, second] = [await identity(), await identity()];
  files.set("/chain.pem", first.chainPem).set("/key.pem", first.keyPem);
  const shown: (Uint8Array | null)[] = [];
  const acceptor = await openAcceptor(context, null, {
    ...handlers,
    control(conn: Conn) {
      shown.push(acceptor.leafSha256(conn));
      return Promise.resolve();
    },
  });
  const conn = new MemoryConn("192.0.2.1");
  listener.push(conn);
  await settle();
  files.set("/chain.pem", second.chainPem).set("/key.pem", second.keyPem);
  await acceptor.reload();
  conn.send(hello());
  await settle();
  deepEqual(shown, [first.leafSha256]);
  notEqual(acceptor.leafSha256(), null);
  deepEqual(acceptor.leafSha256(), second.leafSha256);

  const link = new MemoryConn("192.0.2.1");
  link.send(preface());
  listener.push(link);
  await settle();
  acceptor.close();
  ok(!link.closed);
});
