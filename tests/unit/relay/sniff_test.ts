import { classify, sniff, type SniffRules } from "../../../src/relay/sniff.ts";
import { equal, rejects, test } from "../../harness.ts";
import { memoryPair } from "../../memory_conn.ts";

const all: SniffRules = { socks: true, http: true, tls: true };
const bytes = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

test("classify recognises SOCKS by two bytes", () => {
  equal(classify(bytes("\x05\x01\x00"), all), "socks");
  equal(classify(bytes("\x05\xff"), all), "socks");
  equal(classify(bytes("\x04\x01"), all), "socks");
  equal(classify(bytes("\x05"), all), "more");
  equal(classify(bytes("\x05\x00\x0b\x03"), all), "other");
  equal(classify(bytes("\x04\x03"), all), "other");
});

test("classify recognises TLS by two bytes", () => {
  equal(classify(bytes("\x16\x03"), all), "tls");
  equal(classify(bytes("\x16"), all), "more");
  equal(classify(bytes("\x16\x05"), all), "other");
});

test("classify recognises HTTP requests of any method and nothing that only looks like one", () => {
  const requests = [
    "GET /",
    "OPTIONS *",
    "PRI * HTTP/2.0",
    "CONNECT a:443",
    "GET http://x/",
    "\r\n\r\nPOST /x",
    "M-SEARCH *",
  ];
  for (const request of requests) equal(classify(bytes(request), all), "http", request);
  for (const start of ["G", "GET", "GET ", "GET h", "GET http", "CONNECT ", "\r\n"]) {
    equal(classify(bytes(start), all), "more", start);
  }
  for (const text of ["NICK harry", "EHLO mail", "SSH-2.0-OpenSSH_9", "get /", "\x00\x01", "GET x", "A001 LOGIN"]) {
    equal(classify(bytes(text), all), "other", text);
  }
  equal(classify(bytes("A".repeat(40)), all), "other");
});

test("classify looks for the given protocols alone", () => {
  equal(classify(bytes("GET /"), { ...all, http: false }), "other");
  equal(classify(bytes("\x16\x03"), { ...all, tls: false }), "other");
  equal(classify(bytes("\x05\x01"), { ...all, socks: false }), "other");
});

test("sniff returns the connection itself when nothing is refused", () => {
  const [visitor] = memoryPair();
  equal(sniff(visitor, { socks: false, http: false, tls: false }, () => {}), visitor);
});

test("sniff passes bytes on as they come and does not wait for more", async () => {
  const [visitor, client] = memoryPair();
  const judged = sniff(visitor, all, () => {});
  const into = new Uint8Array(64);
  await client.write(bytes("S"));
  equal(await judged.read(into), 1);
  await client.write(bytes("SH-2.0\r\n"));
  equal(await judged.read(into), 8);
  // Decided: what looks like a request later on is data.
  await client.write(bytes("GET / HTTP/1.1"));
  equal(await judged.read(into), 14);
});

test("sniff lets a server speak first", async () => {
  const [visitor, client] = memoryPair();
  const judged = sniff(visitor, all, () => {});
  const pending = judged.read(new Uint8Array(8));
  await judged.write(bytes("220 ready"));
  equal(await client.read(new Uint8Array(64)), 9);
  await client.closeWrite();
  equal(await pending, null);
});

test("sniff refuses a request that arrives byte by byte before it is complete", async () => {
  const [visitor, client] = memoryPair();
  const blocked: string[] = [];
  const judged = sniff(visitor, all, (protocol) => blocked.push(protocol));
  const into = new Uint8Array(8);
  for (const char of "GET ") {
    await client.write(bytes(char));
    equal(await judged.read(into), 1);
  }
  await client.write(bytes("/"));
  await rejects(judged.read(into), { code: "protocol" });
  equal(blocked.join(), "http");
});
