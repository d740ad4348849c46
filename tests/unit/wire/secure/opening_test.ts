import { NodePassError } from "../../../../src/errors.ts";
import { systemRandom } from "../../../../src/runtime/random.ts";
import { detectForeignOpening } from "../../../../src/wire/secure/foreign_opening.ts";
import { HELLO_BYTES, PREFACE_BYTES, readOpening, writeHead } from "../../../../src/wire/secure/opening.ts";
import { equal, match, ok, rejects, test } from "../../../harness.ts";
import { memoryPair } from "../../../memory_conn.ts";

const GO_REQUEST = `GET / HTTP/1.1\r\nHost: none\r\nUser-Agent: Go-http-client/1.1\r\nAuthorization: Bearer ${
  "ab".repeat(32)
}\r\n\r\n`;

async function openingError(bytes: Uint8Array): Promise<NodePassError> {
  const [near, far] = memoryPair();
  await far.write(bytes);
  await far.closeWrite();
  return await readOpening(near).then(() => new NodePassError("io", "No error"), (error) => error as NodePassError);
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

test("readOpening() reads an opening in one-byte pieces and nothing of what follows", async () => {
  for (
    const [kind, size] of [["control", HELLO_BYTES], ["session", PREFACE_BYTES], ["datagram", PREFACE_BYTES]] as const
  ) {
    const [near, far] = memoryPair();
    const bytes = new Uint8Array(size + 1);
    writeHead(bytes, kind);
    bytes[size] = 0xaa;
    for (const byte of bytes) await far.write(new Uint8Array([byte]));
    const opening = await readOpening(near);
    equal(opening.kind, kind);
    equal(opening.bytes.length, size);
    const rest = new Uint8Array(8);
    equal(await near.read(rest), 1);
    equal(rest[0], 0xaa);
  }
});

test("readOpening() names the parameter to set for another protocol", async () => {
  const cases: [Uint8Array, string, RegExp][] = [
    [new Uint8Array([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc]), "wire_mismatch", /TLS hello arrived.*tls=1/],
    [text(GO_REQUEST), "wire_mismatch", /Go NodePass client.*wire=1\.14/],
    [text("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "wire_mismatch", /HTTP.*wire=1\.14.*type=2/],
    [text("POST /x HTTP/1.1\r\n\r\n"), "wire_mismatch", /HTTP/],
    [new Uint8Array([0x4e, 0x50, 0x53, 0x57, 9, 1, 0, 0]), "wire_mismatch", /version 9.*update/],
    [text("SSH-2.0-OpenSSH"), "protocol", /Unknown opening 5353482d322e302d/],
    [text("NP"), "closed", /2 bytes/],
    [new Uint8Array(), "closed", /0 bytes/],
    [new Uint8Array([0x16, 3, 1]), "wire_mismatch", /TLS/],
  ];
  for (const [bytes, code, message] of cases) {
    const error = await openingError(bytes);
    equal(error.code, code, error.message);
    match(error.message, message);
  }
});

test("readOpening() survives 10,000 random blobs", async () => {
  for (let round = 0; round < 10_000; round++) {
    const bytes = systemRandom.bytes(Math.floor(systemRandom.fraction() * 200));
    if (round % 2 === 0) bytes.set([0x4e, 0x50, 0x53, 0x57, 1, round % 5].slice(0, bytes.length));
    const error = await openingError(bytes);
    ok(error instanceof NodePassError);
  }
});

test("readOpening() rejects with the connection when it is closed meanwhile", async () => {
  const [near] = memoryPair();
  const reading = readOpening(near);
  near.close();
  await rejects(reading, { code: "closed" });
});

test("detectForeignOpening() knows nothing about random bytes", () => {
  equal(detectForeignOpening(new Uint8Array()), null);
  equal(detectForeignOpening(text("HTTP/1.1 400 Bad Request")), "http");
  equal(detectForeignOpening(new Uint8Array([0x15, 3, 3, 0, 2, 2, 40])), "tls");
  equal(detectForeignOpening(text("GETTING")), null);
});
