/** Strangers on the tunnel port of a server of wire=1.14 that serves nobody yet. */
import { equal, ok, test } from "../harness.ts";
import type { Inside } from "../e2e/in_process.ts";
import { entryOf, KEY, ourServer } from "../e2e/wire_1_14_inside.ts";
import { exchangeTcpMany } from "../e2e/wire_1_14_load.ts";
import { Target } from "../e2e/targets.ts";
import { goClient } from "../peer_1_14/client.ts";
import { requestText } from "../peer_1_14/handshake.ts";
import { address, fullProfile, type Stranger, stranger, within } from "../unit/tunnel/accept/front_door.ts";
import { ownedTest } from "../unit/tunnel/forward_fixture.ts";

const SOCKETS = fullProfile ? 2_000 : 400;
const BLOBS = fullProfile ? 5_000 : 600;
const TIMEOUT_MS = 2_000;
const SETTINGS = { handshakeTimeoutMs: TIMEOUT_MS };

/** Lines that strangers caused. */
function linesOf({ logger }: Inside): number {
  return logger.lines.filter(({ level }) => level === "warn" || level === "error").length;
}

async function strangers(port: number, count: number): Promise<Stranger[]> {
  const found: Stranger[] = [];
  for (let index = 0; index < count; index += 50) {
    const batch = Array.from({ length: Math.min(50, count - index) }, (_, at) => stranger(port, address(index + at)));
    found.push(...await Promise.all(batch));
  }
  return found;
}

for (const tls of [0, 1] as const) {
  ownedTest(`slow handshakes end in time, and a client comes through meanwhile (tls=${tls})`, async (own) => {
    const target = await own(Target.listen());
    const server = await own(ourServer({ flow: "reverse", query: `tls=${tls}`, settings: SETTINGS }));
    const { port } = server.handle.addr!;
    const request = requestText(KEY);
    const besiegers = await strangers(port, SOCKETS);
    besiegers.forEach(({ socket }, index) => index % 3 > 0 && socket.write(request.slice(0, 10 + index % 60)));
    const trickle = setInterval(() => {
      besiegers.forEach(({ socket, closedAt }, index) => index % 3 === 2 && closedAt === null && socket.write("x"));
    }, 500);
    try {
      const started = performance.now();
      const client = await own(goClient({ key: KEY, server: server.handle.addr!, target: target.address }));
      await exchangeTcpMany(entryOf(server), 3, 0);
      const tookMs = performance.now() - started;
      ok(tookMs < 3_000, `the client took ${Math.round(tookMs)} ms`);
      equal(client.generations.length, 1);
      const over = await within(TIMEOUT_MS + 1_500, () => besiegers.every(({ closedAt }) => closedAt !== null));
      ok(over, `${besiegers.filter(({ closedAt }) => closedAt === null).length} are still open`);
      const seconds = performance.now() / 1_000;
      ok(linesOf(server) <= 10 * (seconds + 1), `${linesOf(server)} lines`);
    } finally {
      clearInterval(trickle);
      for (const { socket } of besiegers) socket.destroy();
    }
  });
}

test("garbage is closed, named in few lines, and does no harm", async () => {
  const server = await ourServer({ flow: "reverse", query: "tls=0", settings: SETTINGS });
  try {
    const { port } = server.handle.addr!;
    const started = performance.now();
    const right = requestText(KEY);
    let seed = 7;
    const next = (limit: number): number => (seed = seed * 48_271 % 0x7fffffff) % limit;
    for (let index = 0; index < BLOBS; index += 25) {
      const batch = await strangers(port, 25);
      for (const { socket } of batch) {
        const noise = Uint8Array.from({ length: next(900) }, () => next(256));
        const openings = [
          "",
          "NPSW\x01\x01",
          "\x16\x03\x01\x02\x00",
          "GET / HTTP/1.1\r\n",
          right.slice(0, next(right.length)),
        ];
        socket.end(new Uint8Array([...new TextEncoder().encode(openings[next(openings.length)]), ...noise]));
      }
      await Promise.all(batch.map(({ closed }) => closed));
    }
    const seconds = (performance.now() - started) / 1_000;
    ok(linesOf(server) <= 10 * (seconds + 1), `${linesOf(server)} lines in ${seconds} s`);
    equal(server.handle.stats().peers.length, 0);
    const client = await goClient({ key: KEY, server: server.handle.addr! });
    await client[Symbol.asyncDispose]();
  } finally {
    await server[Symbol.asyncDispose]();
  }
});

ownedTest("requests without an end are cut at 8 KiB", async (own) => {
  const server = await own(ourServer({ flow: "reverse", query: "tls=0", settings: SETTINGS }));
  const { port } = server.handle.addr!;
  const openings = ["GET / HTTP/1.1\r\nHost: x\r\n", "GET /", requestText(KEY).slice(0, -2), "A"];
  for (const [index, opening] of openings.entries()) {
    const { socket, closed } = await stranger(port, address(100 + index));
    let sent = 0;
    const pour = (): void => {
      while (!socket.destroyed && sent < 50_000_000) {
        sent += 32_768;
        if (!socket.write("X-Filler: ".padEnd(32_766, "a") + "\r\n")) return;
      }
    };
    socket.write(opening);
    socket.on("drain", pour);
    pour();
    const started = performance.now();
    await closed;
    ok(performance.now() - started < TIMEOUT_MS + 500, `"${opening.slice(0, 8)}" was read for too long`);
    ok(sent < 20_000_000, `${sent} bytes were taken after "${opening.slice(0, 8)}"`);
  }
});

ownedTest("a recorded handshake without links is forgotten, and the next client is served", async (own) => {
  const target = await own(Target.listen());
  const server = await own(ourServer({ flow: "reverse", query: "tls=0", settings: SETTINGS }));
  const { port } = server.handle.addr!;
  // Whoever saw the token once can say it again: it is constant.
  const thief = await stranger(port, address(200));
  thief.socket.write(requestText(KEY));
  await thief.closed;
  await own(
    goClient({ key: KEY, server: server.handle.addr!, target: target.address, retryMs: 200 }, TIMEOUT_MS + 4_000),
  );
  await exchangeTcpMany(entryOf(server), 3, 0);
});
