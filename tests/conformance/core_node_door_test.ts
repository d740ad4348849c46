/**
 * Nodes over real connections: what an application that is called by itself cannot show.
 *
 * @module
 */
import { serveHttp } from "../../src/http/serve.ts";
import { silentLogger } from "../../src/log/silent.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { equal, match, ok } from "../harness.ts";
import { type NodeStage, stageTest } from "../unit/core/node_fixture.ts";
import { exchangeRaw } from "../unit/http/raw.ts";

interface Door {
  readonly stage: NodeStage;
  readonly port: number;
  readonly authKey: string;
}

function doorTest(name: string, run: (door: Door) => Promise<void>): void {
  stageTest(`door of nodes: ${name}`, async (open) => {
    const stage = await open();
    const { authKey } = await stage.node();
    const server = await serveHttp({
      listen: { host: "127.0.0.1", port: 0 },
      certificate: null,
      fetch: (request, connection) => stage.app.fetch(request, connection),
      runtime: await detectRuntime(),
      logger: silentLogger,
    });
    try {
      await run({ stage, port: server.addr.port, authKey });
    } finally {
      await server.close();
    }
  });
}

const head = (line: string, ...headers: string[]): string =>
  [line, "Host: core", "Connection: close", ...headers, "", ""].join("\r\n");
const json = "Content-Type: application/json";

doorTest("two headers with keys are none, be they equal or not", async ({ port, authKey }) => {
  const line = "POST /node/heartbeat HTTP/1.1";
  const key = `x-node-auth-key: ${authKey}`;
  const length = "Content-Length: 2";
  match((await exchangeRaw(port, head(line, json, length, key) + "{}")).text, /^HTTP\/1\.1 200 /);
  for (const other of [key, key.toUpperCase().replace(authKey.toUpperCase(), authKey), "X-Node-Auth-Key: nk1.a.b"]) {
    const { text } = await exchangeRaw(port, head(line, json, length, key, other) + "{}");
    match(text, /^HTTP\/1\.1 401 [\s\S]*"code":"AUTH_INVALID"/);
    match(text, /www-authenticate: NodeKey/i);
  }
});

doorTest("methods and paths that no client sends are never 500", async ({ port, authKey }) => {
  const key = `x-node-auth-key: ${authKey}`;
  const lines: [string, RegExp][] = [
    ["GET /node/usage", /^HTTP\/1\.1 405 [\s\S]*allow: POST[\s\S]*METHOD_NOT_ALLOWED/i],
    ["PURGE /node/usage", /^HTTP\/1\.1 405 /],
    ["POST //node/usage", /^HTTP\/1\.1 404 [\s\S]*NOT_FOUND/],
    ["POST /node/usage%2F", /^HTTP\/1\.1 404 /],
    ["POST /node/%zz", /^HTTP\/1\.1 404 /],
    ["POST /node/%c0%ae", /^HTTP\/1\.1 404 /],
    ["POST /node/../node/usage/", /^HTTP\/1\.1 404 /],
    ["POST /node/usage?x=%zz", /^HTTP\/1\.1 415 /],
    ["TRACE /node/usage", /^(?!HTTP\/1\.1 [25])/],
    ["OPTIONS *", /^(?!HTTP\/1\.1 [25])/],
  ];
  for (const [line, expected] of lines) {
    match((await exchangeRaw(port, head(`${line} HTTP/1.1`, key, "Content-Length: 0"))).text, expected, line);
  }
});

doorTest("bodies in chunks, announced and cut", async ({ port, authKey }) => {
  const key = `x-node-auth-key: ${authKey}`;
  const beat = "POST /node/heartbeat HTTP/1.1";
  const chunked = head(beat, json, key, "Transfer-Encoding: chunked");
  match((await exchangeRaw(port, `${chunked}1\r\n{\r\n1\r\n}\r\n0\r\n\r\n`)).text, /^HTTP\/1\.1 200 /);
  const long = `${chunked}2000\r\n${" ".repeat(0x2000)}\r\n0\r\n\r\n`;
  match((await exchangeRaw(port, long)).text, /^HTTP\/1\.1 413 [\s\S]*PAYLOAD_TOO_LARGE/);
  const announced = await exchangeRaw(port, head(beat, json, key, "Content-Length: 1073741824") + "{");
  match(announced.text, /^HTTP\/1\.1 413 [\s\S]*connection: close/i);
  // Nobody without a key makes Core read.
  const stranger = await exchangeRaw(port, head(beat, json, "Content-Length: 1073741824") + "{");
  match(stranger.text, /^HTTP\/1\.1 401 [\s\S]*connection: close/i);
});

doorTest("a batch that is compressed, over a real connection", async ({ stage, port, authKey }) => {
  const entries = Array.from({ length: 20_000 }, (_, index) => ({
    userId: index + 1,
    subscriptionId: null,
    nodeProtocolId: 3,
    bytesUp: index,
    bytesDown: 2 ** 53 - 1,
    recordedAt: "2025-01-01T00:00:00Z",
  }));
  const stream = new Blob([JSON.stringify({ entries })]).stream().pipeThrough(new CompressionStream("gzip"));
  const body = new Uint8Array(await new Response(stream).arrayBuffer());
  const answer = await fetch(`http://127.0.0.1:${port}/node/usage`, {
    method: "POST",
    headers: { "x-node-auth-key": authKey, "content-type": "application/json", "content-encoding": "gzip" },
    body,
  });
  equal(await answer.text(), '{"ok":true}');
  equal(answer.headers.get("x-core-time"), String(stage.clock.wall()));
  const [, nodeId, batch] = stage.taken[0] ?? [];
  equal(nodeId, 1);
  equal((batch as { entries: unknown[] }).entries.length, 20_000);
});

doorTest("calls at once on forty connections", async ({ port, authKey }) => {
  const call = async (): Promise<number> => {
    const answer = await fetch(`http://127.0.0.1:${port}/node/heartbeat`, {
      method: "POST",
      headers: { "x-node-auth-key": authKey, "content-type": "application/json" },
      body: '{"revision":0}',
    });
    await answer.text();
    return answer.status;
  };
  const lanes = Array.from({ length: 40 }, async () => {
    for (let index = 0; index < 10; index++) equal(await call(), 200);
  });
  ok((await Promise.all(lanes)).length === 40);
});
