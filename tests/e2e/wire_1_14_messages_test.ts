/** Ends that do not fit together: each says in one line what to change, and nothing hangs. */
import type net from "node:net";
import { createAuthority } from "../conformance/runtime_certificates.ts";
import { deepEqual, equal, match, ok } from "../harness.ts";
import { goClient } from "../peer_1_14/client.ts";
import { goServer } from "../peer_1_14/server.ts";
import { listenOn } from "../peer_1_14/sockets.ts";
import { type Own, ownedTest } from "../unit/tunnel/forward_fixture.ts";
import { clientUrl, type Inside, KEY, serverUrl, startInside } from "./in_process.ts";
import { until, within } from "./load.ts";
import { linesAt, ourClient, ourServer } from "./wire_1_14_inside.ts";

const SETTINGS = { handshakeTimeoutMs: 1_500 };
const OTHER_KEY = "npk1_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";
/** Registers a test that looks at both ways of a server at once. */
function eachTls(name: string, run: (own: Own, tls: 0 | 1) => Promise<void>): void {
  ownedTest(`${name}, tls 0 and 1`, async (own) => void await Promise.all([run(own, 0), run(own, 1)]));
}

const TARGET = "127.0.0.1:9";

/** Checks that an end says one thing, again and again, that it is clear, and that the end closes at once. */
async function says(inside: Inside, expected: RegExp, ...levels: readonly string[]): Promise<void> {
  const lines = (): string[] => inside.logger.lines.filter(({ level }) => levels.includes(level)).map(textOf);
  await until(`a line with ${expected} comes`, () => lines().some((line) => expected.test(line)), 15_000).catch(
    (error) => {
      throw new Error(`${error.message}; the lines are ${JSON.stringify(lines())}`);
    },
  );
  const others = new Set(lines().filter((line) => !expected.test(line)));
  deepEqual([...others], []);
  await within(3_000, "the end to close", inside.handle.close({ graceMs: 0 }));
}

function textOf({ message, fields }: Inside["logger"]["lines"][number]): string {
  return [message, fields["reason"] ?? ""].join(" ").trim();
}

async function secureServer(own: Own, tls: 0 | 1): Promise<Inside> {
  return await own(startInside(serverUrl("127.0.0.1:0", `mode=1&tls=${tls}`), SETTINGS));
}

async function secureClient(own: Own, tunnel: { host: string; port: number }): Promise<Inside> {
  return await own(
    within(20_000, "the first attempt", startInside(clientUrl(tunnel, TARGET, "mode=2&min=1"), SETTINGS)),
  );
}

async function oldClient(own: Own, tunnel: { host: string; port: number }, query = ""): Promise<Inside> {
  const starting = ourClient(tunnel, { flow: "reverse", target: TARGET, query, settings: SETTINGS });
  return await own(within(20_000, "the first attempt", starting));
}

eachTls("a client of wire=secure at a server of wire=1.14", async (own, tls) => {
  const server = await own(ourServer({ flow: "reverse", query: `tls=${tls}`, settings: SETTINGS }));
  const client = await secureClient(own, server.handle.addr!);
  await says(client, /^Client error: .*wire=1\.14/, "error");
  await says(server, /wire=secure/, "warn", "error");
});

eachTls("a client of wire=1.14 at a server of wire=secure", async (own, tls) => {
  const server = await secureServer(own, tls);
  const client = await oldClient(own, server.handle.addr!);
  await says(client, /^Client error: Server .*wire/, "error");
  await says(server, /set wire=1\.14 on this end/, "warn", "error");
});

eachTls("a Go client at a server of wire=secure", async (own, tls) => {
  const server = await secureServer(own, tls);
  const refusal = await goClient({ key: KEY, server: server.handle.addr! }, 2_500).then(() => "", String);
  ok(refusal !== "", "it was served");
  await says(server, /set wire=1\.14 on this end/, "warn", "error");
});

eachTls("a client of wire=secure at a Go server", async (own, tls) => {
  const certificate = await (await createAuthority("Authority of the peer")).issue(["tunnel.test"]);
  const server = await own(goServer({ key: KEY, flow: "reverse", tls, certificate }));
  const client = await secureClient(own, server.address);
  await says(client, /^Client error: .*wire=1\.14/, "error");
});

for (const [type, name] of [["1", "QUIC"], ["2", "WebSocket"], ["3", "HTTP/2"]] as const) {
  ownedTest(`a Go server with ${name} links`, async (own) => {
    const server = await own(goServer({ key: KEY, flow: "reverse", type }));
    const client = await oldClient(own, server.address);
    await says(client, new RegExp(`^Client error: .*type=${type} \\(${name}\\).*type=0`), "error");
  });
}

ownedTest("the keys differ", async (own) => {
  const server = await own(goServer({ key: OTHER_KEY, flow: "reverse" }));
  const client = await oldClient(own, server.address);
  await says(client, /^Client error: Server refused the key: set the same key on both ends$/, "error");
  equal(server.requests[0]?.status, 401);

  const ours = await own(ourServer({ flow: "reverse", settings: SETTINGS }));
  const refusal = await goClient({ key: OTHER_KEY, server: ours.handle.addr! }, 1_000).then(() => "", String);
  match(refusal, /Server answered 401: Unauthorized/);
  await says(ours, /another key: set the same key on both ends/, "warn", "error");
});

eachTls("a second client while one is served", async (own, tls) => {
  const server = await own(ourServer({ flow: "reverse", query: `tls=${tls}`, settings: SETTINGS }));
  const first = await own(goClient({ key: KEY, server: server.handle.addr!, min: 2 }));
  const second = await oldClient(own, server.handle.addr!);
  await says(second, /^Client error: Server .*other client/, "error");
  equal(first.generations.length, 1);
  equal(server.handle.stats().peers.length, 1);
});

eachTls("a second client at a Go server that serves one", async (own, tls) => {
  const certificate = await (await createAuthority("Authority of the peer")).issue(["tunnel.test"]);
  const server = await own(goServer({ key: KEY, flow: "reverse", tls, certificate }));
  await own(goClient({ key: KEY, server: server.address, min: 2 }));
  const second = await oldClient(own, server.address);
  await says(second, /^Client error: Server .*other client/, "error");
  equal(server.generations.length, 1);
});

ownedTest("a Go server with a certificate that nobody signed, or for another name", async (own) => {
  const certificate = await (await createAuthority("Authority of the peer")).issue(["tunnel.test"]);
  const server = await own(goServer({ key: KEY, flow: "reverse", tls: 2, certificate }));
  const client = await oldClient(own, server.address, "sni=tunnel.test");
  await says(client, /^Client error: .*(certificate|crt=|sni=)/, "error");
});

const STRANGERS: Readonly<Record<string, { answer: (socket: net.Socket) => void; line: RegExp }>> = {
  "a web server": {
    answer: (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>"),
    line: /^Client error: Cannot understand what the server answered/,
  },
  "a web server that redirects": {
    answer: (socket) =>
      socket.end("HTTP/1.1 301 Moved Permanently\r\nLocation: https://x/\r\nContent-Length: 0\r\n\r\n"),
    line: /^Client error: Server answered the handshake with "301 Moved Permanently": check the port/,
  },
  "an SSH server": {
    answer: (socket) => socket.write("SSH-2.0-OpenSSH_9.2\r\n"),
    line: /^Client error: Server .*HTTP: check the port/,
  },
  "somebody who hangs up": { answer: (socket) => socket.end(), line: /^Client error: Server closed the connection/ },
  "somebody who resets": {
    answer: (socket) => socket.resetAndDestroy(),
    line: /^Client error: (Server closed the connection|Cannot connect to .* reset)/,
  },
  "nobody who speaks": { answer: () => {}, line: /^Client error: Server did not answer the handshake in time: check/ },
  "an endless head": {
    answer: (socket) => {
      const pour = (): void => {
        while (!socket.destroyed && socket.write(`X-Filler: ${"a".repeat(1_000)}\r\n`));
      };
      socket.write("HTTP/1.1 200 OK\r\n");
      socket.on("drain", pour);
      pour();
    },
    line: /^Client error: .*(too long|more than|bytes)/i,
  },
};

for (const [who, { answer, line }] of Object.entries(STRANGERS)) {
  ownedTest(`our client at ${who}`, async (own) => {
    const sockets = new Set<net.Socket>();
    const listener = await listenOn("127.0.0.1", 0, (socket) => {
      sockets.add(socket);
      socket.resume();
      answer(socket);
    });
    await own({
      async [Symbol.asyncDispose]() {
        for (const socket of sockets) socket.destroy();
        await listener.close();
      },
    });
    const client = await oldClient(own, listener);
    await says(client, line, "error");
    deepEqual(linesAt(client, "warn"), []);
  });
}
