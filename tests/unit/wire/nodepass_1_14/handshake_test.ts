import fc from "fast-check";
import type { NodePassError } from "../../../../src/errors.ts";
import { answerHandshake, askTerms, type Terms } from "../../../../src/wire/nodepass_1_14/handshake.ts";
import { formatTerms, parseTerms } from "../../../../src/wire/nodepass_1_14/terms.ts";
import { FakeClock } from "../../../fake_clock.ts";
import { deepEqual, equal, match, ok, rejects, test, throws } from "../../../harness.ts";
import { type MemoryConn, memoryPair } from "../../../memory_conn.ts";

const TOKEN = "f9e66e179b6747ae54108f82f8ade8b3c25d76fd30afde6c395822c530196169";
const TERMS: Terms = { flow: "reverse", max: 1024, tls: 0, type: 0 };
const REQUEST = "GET / HTTP/1.1\r\nHost: none\r\nUser-Agent: Go-http-client/1.1\r\n" +
  `Authorization: Bearer ${TOKEN}\r\nAccept-Encoding: gzip\r\n\r\n`;
const BODY = '{"flow":"-","max":1024,"tls":"0","type":"0"}\n';
const HEAD = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n" +
  "Date: Sat, 21 Nov 2026 03:07:31 GMT\r\n";
const ANSWER = `${HEAD}Content-Length: 45\r\n\r\n${BODY}`;

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function textOf(parts: readonly Uint8Array[]): string {
  return parts.map((part) => new TextDecoder().decode(part)).join("");
}

function code(expected: string, message: RegExp = /./): (error: NodePassError) => boolean {
  return (error) => error.code === expected && match(error.message, message) === undefined;
}

/** Writes in pieces of these sizes, over and over. */
async function writePieces(conn: MemoryConn, bytes: Uint8Array, sizes: readonly number[]): Promise<void> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length]!;
    // A reader that has made up its mind closes.
    await conn.write(bytes.subarray(at, at + size)).catch(() => {});
    at += size;
  }
}

/** What a server makes of these bytes, after which the caller ends its direction; and what it answered. */
async function answerTo(
  request: Uint8Array,
  { sizes = [10_000], ends = true, accept = () => true }: {
    sizes?: readonly number[];
    ends?: boolean;
    accept?: () => boolean;
  } = {},
): Promise<{ verdict: string; status: number | null; message: string; sent: string; closed: boolean; left: number }> {
  const clock = new FakeClock(Date.UTC(2026, 10, 21, 3, 7, 31));
  const [conn, caller] = memoryPair();
  const answering = answerHandshake(conn, { token: TOKEN, terms: TERMS, timeoutMs: 5_000, clock, accept });
  await writePieces(caller, request, sizes);
  if (ends) await caller.closeWrite();
  const answer = await answering;
  const [verdict, status, message] = answer === "accepted"
    ? ["accepted", 200, ""]
    : [answer.error.code, answer.status, answer.error.message];
  return { verdict, status, message, sent: textOf(conn.sent), closed: conn.closed, left: clock.pending };
}

/** What a client makes of these bytes, after which the server closes. */
async function ask(answer: Uint8Array, sizes: readonly number[] = [20_000]): Promise<Terms> {
  const clock = new FakeClock();
  const [conn, server] = memoryPair();
  const asking = askTerms(conn, { host: "none", token: TOKEN, timeoutMs: 5_000, clock });
  asking.catch(() => {});
  await writePieces(server, answer, sizes);
  await server.closeWrite();
  try {
    return await asking;
  } finally {
    equal(conn.closed, true);
    equal(clock.pending, 0);
  }
}

const sizes = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 8 });

test("answerHandshake() answers a Go client byte for byte as a Go server does, however its request is cut", async () => {
  await fc.assert(fc.asyncProperty(sizes, async (pieces) => {
    const { verdict, sent, closed, left } = await answerTo(bytesOf(REQUEST), { sizes: pieces, ends: false });
    deepEqual({ verdict, sent, closed, left }, { verdict: "accepted", sent: ANSWER, closed: true, left: 0 });
  }));
});

test("askTerms() sends what a Go server accepts, and understands its answer however it is cut", async () => {
  const [conn, server] = memoryPair();
  const clock = new FakeClock();
  const asking = askTerms(conn, { host: "tunnel.example", token: TOKEN, timeoutMs: 5_000, clock });
  await server.write(bytesOf(ANSWER));
  deepEqual(await asking, TERMS);
  const request = textOf(conn.sent);
  match(request, /^GET \/ HTTP\/1\.1\r\nHost: tunnel\.example\r\n/);
  ok(request.includes(`\r\nAuthorization: Bearer ${TOKEN}\r\n`) && request.endsWith("\r\n\r\n"));
  equal((await answerTo(bytesOf(request))).verdict, "accepted");
  await fc.assert(fc.asyncProperty(sizes, async (pieces) => deepEqual(await ask(bytesOf(ANSWER), pieces), TERMS)));
});

test("askTerms() takes a chunked answer and one that ends with the connection", async () => {
  const chunks = `a;x=y\r\n${BODY.slice(0, 10)}\r\n23\r\n${BODY.slice(10)}\r\n0\r\nTrailer: 1\r\n\r\n`;
  const chunked = bytesOf(`${HEAD}Transfer-Encoding: chunked\r\n\r\n${chunks}`);
  await fc.assert(fc.asyncProperty(sizes, async (pieces) => deepEqual(await ask(chunked, pieces), TERMS)));
  deepEqual(await ask(bytesOf(`HTTP/1.0 200 OK\r\n\r\n${BODY}`)), TERMS);
  deepEqual(await ask(bytesOf(`HTTP/1.1 200 OK\n\n${BODY}`)), TERMS);
});

test("askTerms() says in one line what is wrong with another answer", async () => {
  const answer = (status: string, body = "") => `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const cases: readonly (readonly [answer: string, code: string, message: RegExp])[] = [
    [answer("401 Unauthorized", "Unauthorized\n"), "wrong_key", /^Server refused the key: /],
    [answer("404 Not Found"), "wire_mismatch", /with "404 Not Found": check the port/],
    [answer(`500 ${"x".repeat(200)}`), "wire_mismatch", /with "500 x{64}": check/],
    ["", "wire_mismatch", /closed the connection without an answer to the handshake: check/],
    ["HTTP/1.1 200 OK\r\nConte", "wire_mismatch", /in the middle of its answer/],
    [`HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n${BODY}`, "wire_mismatch", /in the middle of its answer/],
    ["\x16\x03\x01\x00\x05", "wire_mismatch", /with TLS/],
    ["\x15\x03\x01\x00\x02\x02\x28", "wire_mismatch", /with TLS/],
    ["\x00\x00\x00\x00", "wire_mismatch", /did not answer the handshake with HTTP/],
    ["SSH-2.0-OpenSSH_9.2\r\n", "wire_mismatch", /did not answer the handshake with HTTP/],
    ["HTTP/2 200\r\n\r\n", "wire_mismatch", /did not answer the handshake with HTTP/],
    ["HTTP/1.1 200 OK\r\nno header\r\n\r\n", "protocol", /a header line is none/],
    ["HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "protocol", /its length is no number/],
    ["HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", "protocol", /longer than 16384 bytes/],
    [`HTTP/1.1 200 OK\r\nX: ${"x".repeat(20_000)}`, "protocol", /longer than 16384 bytes/],
    [`HTTP/1.1 200 OK\r\n\r\n${"x".repeat(20_000)}`, "protocol", /longer than 16384 bytes/],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n", "protocol", /longer than 16384 bytes/],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "protocol", /a chunk has no length/],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", "protocol", /a chunk is longer/],
    [answer("200 OK", "hello"), "protocol", /the body is no JSON/],
    [answer("200 OK", BODY.replace('type":"0', 'type":"1')), "not_supported", /type=1 \(QUIC\) .*set type=0/],
  ];
  for (const [given, expected, message] of cases) await rejects(ask(bytesOf(given)), code(expected, message), given);
});

test("askTerms() gives up on a silent server, and says nothing of its time limit when the caller closes", async () => {
  const clock = new FakeClock();
  const [conn] = memoryPair();
  const asking = rejects(
    askTerms(conn, { host: "none", token: TOKEN, timeoutMs: 5_000, clock }),
    code("timed_out", /did not answer the handshake in time: check/),
  );
  await clock.advanceSteps(5_000);
  await asking;
  equal(clock.pending, 0);
  const [other] = memoryPair();
  const closed = rejects(
    askTerms(other, { host: "none", token: TOKEN, timeoutMs: 5_000, clock }),
    (error: NodePassError) => error.code !== "timed_out",
  );
  other.close();
  await closed;
  equal(clock.pending, 0);
});

test("answerHandshake() refuses with the status that a Go server has", async () => {
  const request = (line: string, authorization = `Bearer ${TOKEN}`) =>
    bytesOf(`${line}\r\nHost: a\r\nauthorization:${authorization}\r\n\r\n`);
  const cases: readonly (readonly [request: Uint8Array, status: number, code: string, message: RegExp])[] = [
    [request("POST / HTTP/1.1"), 405, "protocol", /method POST/],
    [request("POST /other HTTP/1.1"), 405, "protocol", /method POST/],
    [request("GET /favicon.ico HTTP/1.1", "none"), 404, "protocol", /another path/],
    [request("GET / HTTP/1.1", "Bearer 00"), 401, "wrong_key", /^Caller has another key/],
    [request("GET / HTTP/1.1", `Bearer ${TOKEN.replace("f", "e")}`), 401, "wrong_key", /^Caller has another key/],
    [request("GET / HTTP/1.1", `Basic ${TOKEN}`), 401, "wrong_key", /^Caller sent no token$/],
    [bytesOf("GET / HTTP/1.1\r\n\r\n"), 401, "wrong_key", /^Caller sent no token$/],
    [bytesOf("GET / HTTP/1.1\r\nUpgrade: WebSocket\r\n\r\n"), 401, "wire_mismatch", /^A WebSocket client called/],
    [bytesOf("GET /np HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"), 404, "wire_mismatch", /^A WebSocket client called/],
    [bytesOf("GET /\r\n\r\n"), 400, "protocol", /no request/],
    [bytesOf("HELLO\r\n\r\n"), 400, "protocol", /no request/],
    [bytesOf("\x00\x01"), 400, "protocol", /no request/],
    [bytesOf("GET / HTTP/1.1\r\n folded\r\n\r\n"), 400, "protocol", /a header line is none/],
    [bytesOf(`GET / HTTP/1.1\r\nA: ${"x".repeat(9_000)}`), 400, "protocol", /longer than 8192 bytes/],
  ];
  for (const [given, status, expected, message] of cases) {
    const answer = await answerTo(given);
    const name = textOf([given.subarray(0, 60)]);
    deepEqual([answer.status, answer.verdict, answer.closed, answer.left], [status, expected, true, 0], name);
    match(answer.message, message);
    match(
      answer.sent,
      new RegExp(`^HTTP/1\\.1 ${status} [A-Z][A-Za-z ]+\\r\\nConnection: close\\r\\nContent-Type: text/plain`),
    );
  }
  const head = await answerTo(request("HEAD / HTTP/1.1"));
  equal(head.status, 405);
  ok(head.sent.endsWith("\r\n\r\n"));
});

test("answerHandshake() answers a TLS hello nothing, and a client of wire=secure as it says HTTP servers do", async () => {
  const hello = bytesOf("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
  const secure = new Uint8Array(128);
  secure.set(bytesOf("NPSW\x01\x01"));
  for (const size of [1, 10_000]) {
    const tls = await answerTo(hello, { sizes: [size], ends: false });
    deepEqual([tls.status, tls.verdict, tls.sent, tls.closed, tls.left], [null, "wire_mismatch", "", true, 0]);
    match(tls.message, /^A TLS client called/);
    const other = await answerTo(secure, { sizes: [size] });
    deepEqual([other.status, other.verdict, other.closed, other.left], [400, "wire_mismatch", true, 0]);
    match(other.message, /^A client of wire=secure called: set the same wire on both ends$/);
    match(other.sent, /^HTTP\/1\.1 400 Bad Request\r\n/);
  }
});

test("answerHandshake() asks accept() only with the right token, and answers nothing when it says no", async () => {
  let asked = 0;
  const accept = (): boolean => ++asked === 0;
  await answerTo(bytesOf(REQUEST.replace(TOKEN, "00")), { accept });
  equal(asked, 0);
  const answer = await answerTo(bytesOf(REQUEST), { accept });
  deepEqual([asked, answer.status, answer.verdict, answer.sent, answer.closed], [1, null, "closed", "", true]);
});

test("answerHandshake() ends with callers that are slow, silent or gone", async () => {
  const clock = new FakeClock();
  const [conn, caller] = memoryPair();
  const answering = answerHandshake(conn, { token: TOKEN, terms: TERMS, timeoutMs: 5_000, clock });
  for (let second = 0; second < 5; second++) {
    await caller.write(bytesOf(REQUEST[second]!));
    await clock.advanceSteps(1_000);
  }
  const late = await answering;
  ok(late !== "accepted");
  deepEqual([late.status, late.error.code, conn.closed, clock.pending], [null, "timed_out", true, 0]);
  match(late.error.message, /^Caller sent no whole handshake within 5000 ms$/);
  const gone = await answerTo(bytesOf(REQUEST.slice(0, 40)));
  deepEqual([gone.status, gone.verdict, gone.sent], [null, "connection_reset", ""]);
});

test("answerHandshake() stops listening to a refused caller who goes on", async () => {
  const clock = new FakeClock();
  const [conn, caller] = memoryPair();
  const answering = answerHandshake(conn, { token: TOKEN, terms: TERMS, timeoutMs: 5_000, clock });
  await caller.write(bytesOf("POST / HTTP/1.1\r\n\r\n"));
  await clock.advanceSteps(2_000, 1_000);
  ok(await answering !== "accepted");
  equal(conn.closed, true);
  const flood = bytesOf(`POST / HTTP/1.1\r\n\r\n${"x".repeat(100_000)}`);
  equal((await answerTo(flood, { ends: false })).status, 405);
});

test("answerHandshake() survives any bytes", async () => {
  const line = fc.constantFrom(
    "GET / HTTP/1.1\r\n",
    "Authorization: Bearer x\r\n",
    "\r\n",
    "Host: a\r\n",
    "NPS",
    "\x16\x03",
  );
  const noise = fc.array(fc.oneof(line.map(bytesOf), fc.uint8Array({ maxLength: 300 })), { maxLength: 12 });
  await fc.assert(fc.asyncProperty(noise, sizes, async (parts, pieces) => {
    const request = Uint8Array.from(parts.flatMap((part) => [...part]));
    const { verdict, closed, left } = await answerTo(request, { sizes: pieces });
    ok(verdict !== "accepted");
    deepEqual({ closed, left }, { closed: true, left: 0 });
  }));
});

test("askTerms() survives any bytes", async () => {
  const line = fc.constantFrom(
    "HTTP/1.1 200 OK\r\n",
    "Transfer-Encoding: chunked\r\n",
    "\r\n",
    "Content-Length: 5\r\n",
    "5\r\n",
  );
  const noise = fc.array(fc.oneof(line.map(bytesOf), fc.uint8Array({ maxLength: 300 })), { maxLength: 12 });
  await fc.assert(fc.asyncProperty(noise, sizes, async (parts, pieces) => {
    const answer = Uint8Array.from(parts.flatMap((part) => [...part]));
    await rejects(ask(answer, pieces), (error: NodePassError) => error.name === "NodePassError");
  }));
});

test("parseTerms() reads what formatTerms() writes and refuses anything else", () => {
  equal(formatTerms(TERMS), BODY);
  for (const flow of ["reverse", "forward"] as const) {
    for (const tls of [0, 1, 2] as const) {
      const terms: Terms = { flow, tls, max: 7, type: 0 };
      deepEqual(parseTerms(formatTerms(terms)), terms);
    }
  }
  equal(parseTerms(BODY.replace("1024", "9007199254740991")).max, 65_536);
  const good = { flow: "-", max: 1, tls: "0", type: "0" };
  const bad: readonly Record<string, unknown>[] = [
    { flow: "x" },
    { flow: undefined },
    { max: 0 },
    { max: "1" },
    { max: 1.5 },
    { tls: 0 },
    { tls: "3" },
    { type: "4" },
    { type: null },
  ];
  for (const change of bad) {
    throws(() => parseTerms(JSON.stringify({ ...good, ...change })), /: (flow|max|tls|type) is /);
  }
  throws(() => parseTerms("[]"), /flow is undefined/);
  throws(() => parseTerms("null"), /no JSON object/);
});
