import { systemRandom } from "../../src/runtime/random.ts";
import type { Random } from "../../src/runtime/types.ts";
import { clientHandshake } from "../../src/wire/secure/client_handshake.ts";
import { HELLO_BYTES } from "../../src/wire/secure/opening.ts";
import { REPLY_BYTES } from "../../src/wire/secure/handshake_messages.ts";
import { encodePreface, verifyPreface } from "../../src/wire/secure/preface.ts";
import { deriveRoot } from "../../src/wire/secure/root_secret.ts";
import { serverHandshake } from "../../src/wire/secure/server_handshake.ts";
import { deepEqual, equal, match, notEqual, ok, rejects, test } from "../harness.ts";
import { memoryPair } from "../memory_conn.ts";
import {
  agree,
  clientOptions,
  newRoot,
  OTHER_LEAF,
  serve,
  serverOptions,
  settle,
  shake,
  shakeThrough,
} from "./handshake_sides.ts";

test("both ends agree on the id and the keys, and on nothing else twice", async () => {
  const root = await newRoot();
  const [server, client] = await agree(serverOptions(root), clientOptions(root));
  equal(server.clientId, client.clientId);
  match(server.clientId, /^[0-9a-f]{32}$/);
  equal(server.serverTls, "derived");
  equal(client.serverTls, "derived");
  equal(server.resumed || client.resumed, false);
  const preface = await encodePreface(client.linkKey, { kind: "session", clientId: client.clientId, counter: 0 });
  equal(await verifyPreface(server.linkKey, preface), true);
  equal(await verifyPreface(server.resumeSecret, preface), false);
  const [again] = await agree(serverOptions(root), clientOptions(root));
  notEqual(again.clientId, server.clientId);
  equal(await verifyPreface(again.linkKey, preface), false);
});

test("nothing that follows the handshake is consumed", async () => {
  const root = await newRoot();
  const { serverConn, clientConn } = await shake(serverOptions(root), clientOptions(root));
  await clientConn.write(new Uint8Array([1, 2, 3]));
  await serverConn.write(new Uint8Array([4, 5]));
  const buffer = new Uint8Array(16);
  equal(await serverConn.read(buffer), 3);
  equal(await clientConn.read(buffer), 2);
});

test("a client with another key proves nothing and learns it", async () => {
  const { server, client, clientConn } = await shake(serverOptions(await newRoot()), clientOptions(await newRoot()));
  equal(client.error?.code, "wrong_key");
  equal(server.error?.code, "wrong_key");
  equal(clientConn.sent.length, 1);
});

test("a client with another key that goes on is refused", async () => {
  const [serverConn, clientConn] = memoryPair();
  const root = await newRoot();
  const serving = settle(serverConn, serve(serverConn, serverOptions(root)));
  const silent = clientHandshake(clientConn, clientOptions(await newRoot())).catch(() => {});
  await silent;
  await clientConn.write(systemRandom.bytes(32));
  const { error } = await serving;
  equal(error?.code, "wrong_key");
  match(error!.message, /set the same key on both ends/);
});

test("keys that differ in one character are different keys", async () => {
  const { server, client } = await shake(
    serverOptions(await deriveRoot("correct horse battery")),
    clientOptions(await deriveRoot("correct horse batterz")),
  );
  deepEqual([server.error?.code, client.error?.code], ["wrong_key", "wrong_key"]);
});

test("a replayed hello gets no agreement", async () => {
  const root = await newRoot();
  const { clientConn } = await shake(serverOptions(root), clientOptions(root));
  const [serverConn, attacker] = memoryPair();
  for (const bytes of clientConn.sent) await attacker.write(bytes);
  await attacker.closeWrite();
  equal((await settle(serverConn, serve(serverConn, serverOptions(root)))).error?.code, "wrong_key");
});

test("a replayed server is refused before the client proves anything", async () => {
  const root = await newRoot();
  const { serverConn } = await shake(serverOptions(root), clientOptions(root));
  const [attacker, clientConn] = memoryPair();
  for (const bytes of serverConn.sent) await attacker.write(bytes);
  const outcome = await settle(clientConn, clientHandshake(clientConn, clientOptions(root)));
  equal(outcome.error?.code, "wrong_key");
  equal(clientConn.sent.length, 1);
});

test("a client's own proof is not the server's, and the reverse", async () => {
  const root = await newRoot();
  const [serverConn, attacker] = memoryPair();
  const serving = settle(serverConn, serve(serverConn, serverOptions(root)));
  const { clientConn } = await shake(serverOptions(root), clientOptions(root));
  await attacker.write(clientConn.sent[0]!);
  const reply = new Uint8Array(REPLY_BYTES);
  await attacker.read(reply);
  await attacker.write(reply.subarray(REPLY_BYTES - 32));
  equal((await serving).error?.code, "wrong_key");
});

test("a machine in the middle with another leaf is refused, whatever it holds", async () => {
  const root = await newRoot();
  for (const tls of ["derived", "files"] as const) {
    const { server, client } = await shake(
      serverOptions(root, { tls }),
      clientOptions(root, { tls, leafSha256: OTHER_LEAF }),
    );
    equal(client.error?.code, "wrong_key");
    equal(server.agreement, null);
  }
});

test("no client is talked down: the tls code is part of the proof", async () => {
  const root = await newRoot();
  for (const tls of ["derived", "files"] as const) {
    // The middle speaks TLS to the server and plain to the client.
    const honest = await shake(serverOptions(root, { tls }), clientOptions(root, { tls: "plain", leafSha256: null }));
    equal(honest.client.error?.code, "wire_mismatch");
    const lied = await shakeThrough(
      serverOptions(root, { tls }),
      clientOptions(root, { tls: "plain", leafSha256: null }),
      { reply: (bytes) => bytes[48] = 0 },
    );
    equal(lied.client.error?.code, "wrong_key");
    equal(lied.server.agreement, null);
  }
});

test("a plain server is no TLS server behind somebody's TLS", async () => {
  const root = await newRoot();
  const plain = serverOptions(root, { tls: "plain", leafSha256: null });
  equal((await shake(plain, clientOptions(root))).client.error?.code, "wire_mismatch");
  const lied = await shakeThrough(plain, clientOptions(root), { reply: (bytes) => bytes[48] = 1 });
  equal(lied.client.error?.code, "wrong_key");
});

test("transports do not mix", async () => {
  const root = await newRoot();
  const { server } = await shake(serverOptions(root), clientOptions(root, { transport: "websocket" }));
  equal(server.error?.code, "wire_mismatch");
  const lied = await shakeThrough(serverOptions(root), clientOptions(root, { transport: "websocket" }), {
    hello: (bytes) => bytes[6] = 0,
    reply: (bytes) => {
      bytes[49] = 2;
    },
  });
  equal(lied.client.error?.code, "wrong_key");
});

test("inside WebSockets a proxy may end TLS: leaf and mode of the connection are not bound", async () => {
  const root = await newRoot();
  for (const tls of ["plain", "derived", "files"] as const) {
    const [server, client] = await agree(
      serverOptions(root, { transport: "websocket", tls }),
      clientOptions(root, { transport: "websocket", tls: "files", leafSha256: OTHER_LEAF }),
    );
    deepEqual([server.serverTls, client.serverTls, client.transport], [tls, tls, "websocket"]);
  }
});

test("inside WebSockets in clear the server must prove that it is set to tls=0", async () => {
  const root = await newRoot();
  const client = clientOptions(root, { transport: "websocket", tls: "plain", leafSha256: null });
  for (const tls of ["derived", "files"] as const) {
    const server = serverOptions(root, { transport: "websocket", tls });
    const honest = await shake(server, client);
    equal(honest.client.error?.code, "wire_mismatch");
    equal(honest.server.agreement, null);
    const lied = await shakeThrough(server, client, { reply: (bytes) => bytes[48] = 0 });
    equal(lied.client.error?.code, "wrong_key");
    equal(lied.server.agreement, null);
  }
  const [, agreed] = await agree(serverOptions(root, { transport: "websocket", tls: "plain" }), client);
  equal(agreed.serverTls, "plain");
});

test("every changed bit of the reply and of the client's proof is refused, reserved bytes apart", async () => {
  const root = await newRoot();
  for (let at = 0; at < REPLY_BYTES; at++) {
    const reserved = at >= 51 && at < 96;
    const { client } = await shakeThrough(serverOptions(root), clientOptions(root), {
      reply: (bytes) => bytes[at]! ^= at === 50 ? 1 : 0x40,
    });
    equal(client.error === null, reserved, `reply byte ${at}`);
  }
  for (let at = 0; at < 32; at++) {
    const { server } = await shakeThrough(serverOptions(root), clientOptions(root), {
      proof: (bytes) => bytes[at]! ^= 1,
    });
    equal(server.error?.code, "wrong_key", `proof byte ${at}`);
  }
});

test("a client resumes with the secret of its last handshake, once more after each", async () => {
  const root = await newRoot();
  let [known, ticket] = await agree(serverOptions(root), clientOptions(root));
  const { clientId } = known;
  for (let round = 0; round < 3; round++) {
    const resumeSecrets = (id: string): CryptoKey[] => id === clientId ? [known.resumeSecret] : [];
    [known, ticket] = await agree(serverOptions(root, { resumeSecrets }), clientOptions(root, { resume: ticket }));
    deepEqual([known.resumed, ticket.resumed, known.clientId], [true, true, clientId]);
  }
});

test("an old link key dies with the handshake that follows it", async () => {
  const root = await newRoot();
  const [known, ticket] = await agree(serverOptions(root), clientOptions(root));
  const recorded = await encodePreface(ticket.linkKey, { kind: "session", clientId: ticket.clientId, counter: 7 });
  const resumeSecrets = (): CryptoKey[] => [known.resumeSecret];
  const [next] = await agree(serverOptions(root, { resumeSecrets }), clientOptions(root, { resume: ticket }));
  equal(next.resumed, true);
  equal(await verifyPreface(next.linkKey, recorded), false);
});

test("resuming with another client's id gets a new id", async () => {
  const root = await newRoot();
  const [victim] = await agree(serverOptions(root), clientOptions(root));
  const [, attacker] = await agree(serverOptions(root), clientOptions(root));
  const resume = { clientId: victim.clientId, resumeSecret: attacker.resumeSecret };
  const resumeSecrets = (id: string): CryptoKey[] => id === victim.clientId ? [victim.resumeSecret] : [];
  const [server, client] = await agree(serverOptions(root, { resumeSecrets }), clientOptions(root, { resume }));
  deepEqual([server.resumed, client.resumed], [false, false]);
  notEqual(client.clientId, victim.clientId);
});

test("an outdated or unknown ticket gets a new id", async () => {
  const root = await newRoot();
  const [first, oldTicket] = await agree(serverOptions(root), clientOptions(root));
  const [second] = await agree(
    serverOptions(root, { resumeSecrets: () => [first.resumeSecret] }),
    clientOptions(root, { resume: oldTicket }),
  );
  for (const resumeSecrets of [() => [second.resumeSecret], () => []]) {
    const [server] = await agree(serverOptions(root, { resumeSecrets }), clientOptions(root, { resume: oldTicket }));
    deepEqual([server.resumed, server.clientId === first.clientId], [false, false]);
  }
});

test("a replayed resume changes nothing: it never proves", async () => {
  const root = await newRoot();
  const [known, ticket] = await agree(serverOptions(root), clientOptions(root));
  const resuming = serverOptions(root, { resumeSecrets: () => [known.resumeSecret] });
  const { clientConn } = await shake(resuming, clientOptions(root, { resume: ticket }));
  const [serverConn, attacker] = memoryPair();
  for (const bytes of clientConn.sent) await attacker.write(bytes);
  await attacker.closeWrite();
  const outcome = await settle(serverConn, serve(serverConn, resuming));
  equal(outcome.agreement, null);
  equal(outcome.error?.code, "wrong_key");
});

test("nobody is told that a resume worked when it did not", async () => {
  const root = await newRoot();
  const [known, ticket] = await agree(serverOptions(root), clientOptions(root));
  const resuming = serverOptions(root, { resumeSecrets: () => [known.resumeSecret] });
  const { client } = await shakeThrough(resuming, clientOptions(root, { resume: ticket }), {
    reply: (bytes) => bytes[50] = 0,
  });
  equal(client.error?.code, "protocol");
});

test("a changed wish to resume is no wish", async () => {
  const root = await newRoot();
  const [known, ticket] = await agree(serverOptions(root), clientOptions(root));
  const resuming = serverOptions(root, { resumeSecrets: () => [known.resumeSecret] });
  for (const at of [40, 55, 56, 87]) {
    const { client } = await shakeThrough(resuming, clientOptions(root, { resume: ticket }), {
      hello: (bytes) => bytes[at]! ^= 1,
    });
    equal(client.agreement?.resumed, false, `hello byte ${at}`);
  }
});

/** The same bytes again and again: what a broken generator would do. */
const constant: Random = { bytes: (length) => new Uint8Array(length).fill(7), fraction: () => 0 };

test("fresh nonces of one side are enough against replay", async () => {
  const root = await newRoot();
  const { serverConn } = await shake(serverOptions(root, { random: constant }), clientOptions(root));
  const [attacker, clientConn] = memoryPair();
  for (const bytes of serverConn.sent) await attacker.write(bytes);
  await rejects(clientHandshake(clientConn, clientOptions(root)), { code: "wrong_key" });
});

test("a server survives truncated, oversized and random hellos", async () => {
  const root = await newRoot();
  const { clientConn } = await shake(serverOptions(root), clientOptions(root));
  const hello = clientConn.sent[0]!;
  for (let length = 0; length < HELLO_BYTES; length++) {
    const [serverConn, peer] = memoryPair();
    await peer.write(hello.subarray(0, length));
    await peer.closeWrite();
    ok((await settle(serverConn, serve(serverConn, serverOptions(root)))).error !== null);
  }
  for (
    const bytes of [new Uint8Array(), hello.subarray(1), new Uint8Array([...hello, 0]), new Uint8Array(HELLO_BYTES)]
  ) {
    await rejects(serverHandshake(memoryPair()[0], bytes, serverOptions(root)), { code: "protocol" });
  }
  for (let round = 0; round < 10_000; round++) {
    const bytes = systemRandom.bytes(Math.floor(systemRandom.fraction() * 300));
    // Half of them get past the head.
    if (round % 2 === 0) bytes.set(hello.subarray(0, Math.min(bytes.length, 7)));
    const [serverConn, peer] = memoryPair();
    await peer.write(bytes);
    await peer.closeWrite();
    ok((await settle(serverConn, serve(serverConn, serverOptions(root)))).agreement === null);
  }
});

test("a client survives truncated and random replies, and names an HTTP server", async () => {
  const root = await newRoot();
  for (let round = 0; round < 10_000; round++) {
    const [peer, clientConn] = memoryPair();
    await peer.write(systemRandom.bytes(Math.floor(systemRandom.fraction() * 300)));
    await peer.closeWrite();
    ok((await settle(clientConn, clientHandshake(clientConn, clientOptions(root)))).agreement === null);
  }
  const [peer, clientConn] = memoryPair();
  await peer.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"));
  await peer.closeWrite();
  await rejects(clientHandshake(clientConn, clientOptions(root)), { code: "wire_mismatch", message: /wire=1\.14/ });
});
