/** Mistakes that people make: each gives one line on standard output that says what to do, soon, and nothing hangs. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { deepEqual, equal, match, ok } from "../harness.ts";
import { freePort } from "../unit/tunnel/forward_fixture.ts";
import { type CertificateFolder, certificateFolder, SERVER_NAME } from "./certificates.ts";
import { startServer, TEST_KEY } from "./ends.ts";
import { nodeMissing, type RuntimeName, startCommand, startUrl } from "./process.ts";
import { turnedAway } from "./visitors.ts";

const LIMIT_MS = 10_000;
const TARGET = { host: "127.0.0.1", port: 9 };
const OTHER_KEY = TEST_KEY.replace("AAA", "BBB");

/** What a client meets. */
interface Mistake {
  readonly name: string;
  /** Query of the server. */
  readonly server: (files: CertificateFolder) => string;
  readonly client: (files: CertificateFolder) => string;
  readonly key?: string;
  /** The whole message after "Client error: Cannot connect to HOST:PORT: ". */
  readonly says: RegExp;
  readonly prepare?: (files: CertificateFolder) => Promise<void>;
}

const withFiles = ({ chain, key }: CertificateFolder): string => `tls=2&crt=${chain}&key=${key}`;

const mistakes: readonly Mistake[] = [
  {
    name: "another key, tls=1",
    server: () => "tls=1",
    client: () => "",
    key: OTHER_KEY,
    says: /^server has another key: set the same key on both ends/,
  },
  {
    name: "another key, tls=0",
    server: () => "tls=0",
    client: () => "",
    key: OTHER_KEY,
    says: /^server could not prove the key: set the same key on both ends/,
  },
  {
    name: "tls=1 pinned, server in clear",
    server: () => "tls=0",
    client: () => "tls=1",
    says: /^server does not speak TLS: take tls out of this client's URL, or set the same tls on the server/,
  },
  {
    name: "tls=1 pinned, server with files",
    server: withFiles,
    client: () => "tls=1",
    says: /^server shows a certificate of its own: set tls=2 on this client, or tls=1 on the server/,
  },
  {
    name: "tls=2 pinned, server with its key's certificate",
    server: () => "tls=1",
    client: () => "tls=2&sni=tunnel.test",
    says: /^server shows a certificate of its key: set tls=1 on this client, or tls=2 on the server/,
  },
  {
    name: "an expired certificate",
    prepare: (files) => files.renew([SERVER_NAME], 40),
    server: withFiles,
    client: ({ ca }) => `crt=${ca}&sni=${SERVER_NAME}`,
    says: /^server's certificate expired on \d{4}-\d\d-\d\d: renew it, or check the clock of this machine/,
  },
  {
    name: "a certificate for another name",
    prepare: (files) => files.renew(["elsewhere.test"]),
    server: withFiles,
    client: ({ ca }) => `crt=${ca}&sni=${SERVER_NAME}`,
    says: /^server's certificate is for elsewhere\.test and not for tunnel\.test: set sni= on this client/,
  },
  {
    name: "a self-signed certificate",
    prepare: (files) => files.selfSign(SERVER_NAME),
    server: withFiles,
    client: () => `sni=${SERVER_NAME}`,
    says: /^server's certificate is self-signed: give its PEM with crt= on this client, or set tls=1 on the server/,
  },
  {
    name: "an unknown authority",
    prepare: (files) => files.renew([SERVER_NAME]),
    server: withFiles,
    client: () => `sni=${SERVER_NAME}`,
    says: /^server's certificate comes from CN=End-to-end authority, which is not trusted here: give .* crt=/,
  },
];

const runtimes = (["deno", "node"] as const).filter((runtime) => runtime === "deno" || nodeMissing === undefined);

for (const runtime of runtimes) {
  for (const mistake of mistakes) {
    Deno.test(`${mistake.name} (${runtime})`, async () => {
      await using files = await certificateFolder();
      await mistake.prepare?.(files);
      const options = { targets: [TARGET], server: runtime, serverQuery: mistake.server(files) };
      const { process: server, tunnel } = await startServer(options);
      await using _ = server;
      const key = mistake.key ?? TEST_KEY;
      const url = `client://${key}@127.0.0.1:${tunnel.port}/127.0.0.1:9?mode=2&min=1&${mistake.client(files)}`;
      await expectRefusal(url, runtime, tunnel.port, mistake.says);
      ok(!server.output.includes("Tunnel handshaked"), server.output);
      equal(server.errorLines.length, 0, server.output);
    });
  }

  Deno.test(`nobody listens at the tunnel port (${runtime})`, async () => {
    const port = await freePort();
    await expectRefusal(urlAt(port), runtime, port, /^connection refused: check that the server runs/);
  });

  Deno.test(`an HTTP server is at the tunnel port (${runtime})`, async () => {
    await using http = await httpServer(200, "hello");
    await expectRefusal(urlAt(http.port), runtime, http.port, /^server answers HTTP: .*wire=1\.14.*type=2/);
  });

  Deno.test(`a Go NodePass server is at the tunnel port: it answers 401 (${runtime})`, async () => {
    await using http = await httpServer(401, "");
    await expectRefusal(urlAt(http.port), runtime, http.port, /^server answers HTTP: .*set wire=1\.14 on this client/);
  });

  Deno.test(`a name that does not resolve is tried again (${runtime})`, async () => {
    const url = `client://${TEST_KEY}@no-such-host.invalid:1234/127.0.0.1:9?mode=2&min=1`;
    await using client = startUrl(url, { runtime });
    const first = await client.line("Client error: ", { ms: LIMIT_MS });
    match(first, /no-such-host\.invalid:1234: name not found: check the host name in this client's URL/);
    await client.line("Client error: ", { ms: LIMIT_MS, from: client.lines.indexOf(first) + 1 });
    equal(await client.stop(), 0);
  });

  Deno.test(`the tunnel port is in use (${runtime})`, async () => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = taken.addr;
    const url = `server://${TEST_KEY}@127.0.0.1:${port}/127.0.0.1:0?mode=1`;
    await using server = startUrl(url, { runtime });
    equal(await server.exited, 1, server.output);
    const said = server.lines.filter((line) => line.includes("Server error: "));
    equal(said.length, 1, server.output);
    match(said[0] ?? "", new RegExp(`127\\.0\\.0\\.1:${port}.*in use`));
  });

  Deno.test(`the target is down: the visitor is closed and the log says so (${runtime})`, async () => {
    const port = await freePort();
    const { process: server, entry, tunnel } = await startServer({ targets: [TARGET], server: runtime });
    await using _ = server;
    const url = `client://${TEST_KEY}@127.0.0.1:${tunnel.port}/127.0.0.1:${port}?mode=2&min=2`;
    await using client = startUrl(url, { runtime });
    await client.line("Tunnel handshaked");
    ok(await turnedAway(entry!, new Uint8Array([1])));
    match(await client.line("Cannot serve visitor", { ms: LIMIT_MS }), new RegExp(`127\\.0\\.0\\.1:${port}`));
  });

  Deno.test(`unreadable certificate files end the start (${runtime})`, async () => {
    const url = `server://${TEST_KEY}@127.0.0.1:0/127.0.0.1:0?tls=2&crt=/no/such.pem&key=/no/such.key`;
    await using server = startCommand([url], { runtime });
    equal(await server.exited, 2, server.output);
    match(server.output, /\/no\/such\.pem/);
  });
}

function urlAt(port: number): string {
  return `client://${TEST_KEY}@127.0.0.1:${port}/127.0.0.1:9?mode=2&min=1`;
}

/** One clear line per attempt within 10 s, another attempt after it, no stack, an end with 0 when asked. */
async function expectRefusal(url: string, runtime: RuntimeName, port: number, says: RegExp): Promise<void> {
  await using client = startUrl(url, { runtime });
  const first = await client.line("Client error: ", { ms: LIMIT_MS });
  const mark = `Client error: Cannot connect to 127.0.0.1:${port}: `;
  ok(first.includes(mark), first);
  match(first.slice(first.indexOf(mark) + mark.length), says);
  // The retry goes on.
  await client.line("Client error: ", { ms: LIMIT_MS, from: client.lines.indexOf(first) + 1 });
  const between = client.lines.filter((line) => / (ERROR|WARN) /.test(line) && !line.includes("Client error: "));
  deepEqual(between, []);
  deepEqual(client.errorLines, []);
  equal(await client.stop(), 0);
}

async function httpServer(status: number, body: string): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer((_, response) => response.writeHead(status).end(body));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
