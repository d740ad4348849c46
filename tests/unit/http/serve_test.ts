import { equal, match, ok } from "../../harness.ts";
import { KEY, masterTest } from "./fake_master.ts";
import { exchangeRaw, rawSocket, untilClosed } from "./raw.ts";

const head = (line: string, ...headers: string[]): string => [line, "Host: x", ...headers, "", ""].join("\r\n");

const short = { headersMs: 600, requestMs: 1_200, idleMs: 500, guests: { openingMs: 1_000 } };

masterTest("serve: headers above 16 KiB are 431 without JSON, those below pass", {}, async ({ port }) => {
  const large = await exchangeRaw(port, head("GET /api/info HTTP/1.1", `X-Large: ${"x".repeat(17_000)}`));
  match(large.text, /^HTTP\/1\.1 431 /);
  ok(!large.text.includes("{"));
  const fits = head(
    "GET /api/info HTTP/1.1",
    `X-Large: ${"x".repeat(12_000)}`,
    `X-API-Key: ${KEY}`,
    "Connection: close",
  );
  match((await exchangeRaw(port, fits)).text, /^HTTP\/1\.1 200 /);
});

masterTest("serve: a body above 1 MiB is 413 and the connection ends, announced or not", {}, async ({ port }) => {
  const key = `X-API-Key: ${KEY}`;
  const announced = await exchangeRaw(
    port,
    head("POST /api/instances HTTP/1.1", key, "Content-Length: 1073741824") + "{",
  );
  match(
    announced.text,
    /^HTTP\/1\.1 413 [\s\S]*connection: close[\s\S]*"Request body exceeds maximum length 1048576"/i,
  );
  const socket = await rawSocket(port);
  const closed = untilClosed(socket);
  socket.write(head("POST /api/instances HTTP/1.1", key, "Transfer-Encoding: chunked"));
  const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
  for (let index = 0; index < 40 && !socket.destroyed; index++) {
    if (!socket.write(chunk)) await new Promise((resolve) => socket.once("drain", resolve).once("close", resolve));
  }
  const { text } = await closed;
  ok(text === "" || /^HTTP\/1\.1 413 /.test(text), text.slice(0, 100));
});

masterTest("serve: an answer before the end of the body ends the connection", {}, async ({ port }) => {
  const refused = await exchangeRaw(port, head("POST /api/instances HTTP/1.1", "Content-Length: 1000") + "{");
  match(refused.text, /^HTTP\/1\.1 401 [\s\S]*connection: close/i);
  ok(refused.ms < 2_000);
});

masterTest("serve: silence, half a head and a dripping body end in time", { limits: short }, async ({ port }) => {
  const silent = untilClosed(await rawSocket(port));
  const half = exchangeRaw(port, "GET /api/info HTTP/1.1\r\nHost: x\r\n");
  const body = exchangeRaw(port, head("POST /api/info HTTP/1.1", `X-API-Key: ${KEY}`, "Content-Length: 100") + "{");
  const idle = exchangeRaw(port, head("GET /api/healthz HTTP/1.1"));
  ok((await silent).ms < 1_900, `silent: ${(await silent).ms}`);
  const { text, ms } = await half;
  ok(ms < 1_900, `half: ${ms}`);
  ok(text === "" || text.startsWith("HTTP/1.1 408 "), text);
  ok((await body).ms < 2_900, `body: ${(await body).ms}`);
  match((await idle).text, /^HTTP\/1\.1 200 /);
  ok((await idle).ms < 2_500, `idle: ${(await idle).ms}`);
});

masterTest("serve: what is no HTTP gets 400 and its end", {}, async ({ port }) => {
  for (const text of ["\x16\x03\x01\x02\x00\x01\x00", "nonsense\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"]) {
    const answer = await exchangeRaw(port, text);
    ok(answer.text === "" || /^HTTP\/1\.1 400 /.test(answer.text), answer.text.slice(0, 80));
  }
});

masterTest("serve: requests in flight come to their end, then nothing listens", {}, async (master) => {
  const socket = await rawSocket(master.port);
  const closed = untilClosed(socket);
  const request = head("POST /api/info HTTP/1.1", `X-API-Key: ${KEY}`, "Content-Length: 12");
  socket.write(`${request}{"ali`);
  const idle = untilClosed(await rawSocket(master.port));
  const connected = await fetch(`${master.origin}/api/healthz`);
  await connected.body?.cancel();
  const closing = master.listener.close({ graceMs: 5_000 });
  socket.write('as":1}');
  socket.write("  ");
  const { text, ms } = await closed;
  match(text, /^HTTP\/1\.1 400 /);
  ok(ms < 3_000, `${ms}`);
  await closing;
  await idle;
  ok(await fetch(`${master.origin}/api/healthz`).then(() => false, () => true));
});

masterTest("serve: a close without patience ends event streams too", {}, async (master) => {
  const response = await master.call("/events");
  const reader = response.body!.getReader();
  await reader.read();
  const started = performance.now();
  await master.listener.close();
  const ended = await reader.read().then(({ done }) => done, () => true);
  equal(ended, true);
  ok(performance.now() - started < 1_000);
});

masterTest("serve: an address that is taken is an error that names it", {}, async (master) => {
  const { fakeMaster } = await import("./fake_master.ts");
  const error = await fakeMaster({ url: `master://127.0.0.1:${master.port}` }).then(() => null, (error) => error);
  equal(error?.code, "address_in_use");
  match(error?.message, /^Cannot listen on 127\.0\.0\.1:\d+: address already in use$/);
});

masterTest("serve: an empty host listens on IPv4 and IPv6", { url: "master://:0" }, async ({ port }) => {
  const response = await fetch(`http://127.0.0.1:${port}/api/healthz`);
  equal(response.status, 200);
  await response.body?.cancel();
});
