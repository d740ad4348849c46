import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { unfinishedLimit } from "../../src/runtime/deno/unfinished_handshakes.ts";
import { denoRuntime } from "../../src/runtime/deno/runtime.ts";
import { DenoTlsConn } from "../../src/runtime/deno/tls_conn.ts";
import type { TlsConn, TlsConnectOptions, TlsListener } from "../../src/runtime/types.ts";
import { equal, ok, rejects, test, underDeno } from "../harness.ts";
import { accepted, type Own, owning, readExactly, text, timeoutMs, turn, writeAll } from "./runtime_scope.ts";
import { tlsPair, tlsServer } from "./runtime_tls_suite.ts";

const options = {
  skip: underDeno && Deno.build.os === "linux" ? undefined : "only Deno holds sockets, and /proc shows them",
};
const { net } = denoRuntime;

/** Open descriptors of connected sockets whose own port is `port`: the server's side of its connections. */
function serverSockets(port: number): number {
  const own = new Set<string>();
  for (const name of readdirSync("/proc/self/fd")) {
    try {
      own.add(/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${name}`))?.[1] ?? "");
    } catch {
      // The descriptor of the listing itself is gone by now.
    }
  }
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = readFileSync("/proc/net/tcp", "utf8").trim().split("\n").slice(1).map((row) => row.trim().split(/\s+/));
  return rows.filter((row) => row[1]?.endsWith(suffix) && row[3] !== "0A" && own.has(row[9] ?? "")).length;
}

/** Opens a connection that never says a word, and lets the server give it up. */
async function holdOne(own: Own, listener: TlsListener): Promise<{ close(): void }> {
  const silent = own(await net.connect({ host: "127.0.0.1", port: listener.local.port, timeoutMs }));
  const conn = await accepted(listener);
  const handshake = rejects(conn.handshake());
  conn.close();
  await handshake;
  return silent;
}

/** Waits for something that the other side's end brings about, one turn of the event loop at a time. */
async function until(what: string, holds: () => boolean): Promise<void> {
  for (let turns = 0; !holds(); turns++) {
    if (turns === 2_000) throw new Error(`never: ${what}`);
    await turn();
  }
}

/** A pair whose server side is, or is not, Deno's own TLS; connects again while the port changes hands. */
async function pairOf(
  own: Own,
  native: boolean,
  listener: TlsListener,
  connect: TlsConnectOptions,
): Promise<[client: TlsConn, server: TlsConn]> {
  let accepting = accepted(listener);
  for (let tries = 0; tries < 200; tries++) {
    try {
      const client = own(await denoRuntime.tls.connect(connect));
      const server = own(await accepting);
      if (server instanceof DenoTlsConn === native) return [client, server];
      accepting = accepted(listener);
    } catch {
      // Refused between two listeners: the pending accept goes on.
    }
  }
  throw new Error(`never ${native ? "native" : "node:tls"}`);
}

test("deno: a closed handshake keeps its descriptor only until the other side ends it", () =>
  owning(async (own) => {
    const { listener } = await tlsServer(denoRuntime, own);
    const { port } = listener.local;
    const silent = await holdOne(own, listener);
    equal(serverSockets(port), 1);
    silent.close();
    await until("the descriptor is free", () => serverSockets(port) === 0);
  }), options);

test(
  `deno: ${unfinishedLimit} held handshakes move the port to node:tls, and back when they are gone`,
  () =>
    owning(async (own) => {
      const { listener, options: connect } = await tlsServer(denoRuntime, own);
      const { port } = listener.local;
      const [client, server] = await tlsPair(denoRuntime, own, listener, connect);
      ok(server instanceof DenoTlsConn);
      const held: { close(): void }[] = [];
      while (held.length < unfinishedLimit) held.push(await holdOne(own, listener));
      const before = serverSockets(port);
      equal(before, unfinishedLimit + 1);

      const [, replaced] = await pairOf(own, false, listener, connect);
      await writeAll(client, text("still here"));
      equal((await readExactly(server, 10)).length, 10);
      replaced.close();
      for (let count = 0; count < 20; count++) await holdOne(own, listener);
      await until("given-up handshakes are free at once", () => serverSockets(port) <= before);

      for (const silent of held) silent.close();
      await until("held descriptors are free", () => serverSockets(port) <= 1);
      await pairOf(own, true, listener, connect);
      await writeAll(server, text("and still"));
      equal((await readExactly(client, 9)).length, 9);
    }),
  options,
);

test("deno: accept() waits through the move of the port", () =>
  owning(async (own) => {
    const { listener, options: connect, authority } = await tlsServer(denoRuntime, own);
    const accepting = accepted(listener);
    await listener.setCertificate(await authority.issue([connect.serverName]));
    await listener.setCertificate(await authority.issue([connect.serverName]));
    const connecting = denoRuntime.tls.connect(connect);
    await own(await accepting).handshake();
    own(await connecting);
    listener.close();
    equal(await listener.accept(), null);
    await rejects(net.connect({ host: "127.0.0.1", port: listener.local.port, timeoutMs }));
  }), options);
