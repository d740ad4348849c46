/** SIGTERM drains, SIGHUP reloads: real processes under load. */
import tls from "node:tls";
import { writeAll } from "../../src/relay/write_all.ts";
import { equal, notEqual, ok } from "../harness.ts";
import type { Conn, SocketAddress } from "../../src/runtime/types.ts";
import { readAll, UdpVisitor } from "../unit/tunnel/forward_fixture.ts";
import { type CertificateFolder, certificateFolder, SERVER_NAME } from "./certificates.ts";
import { addressAfter, type PairOptions, startPair } from "./ends.ts";
import { askUdp, echoTcp, until } from "./load.ts";
import { nodeMissing, startCommand } from "./process.ts";
import { Target } from "./targets.ts";
import { bytesOf, firstWords, turnedAway, visit } from "./visitors.ts";

const runtimes = (["deno", "node"] as const).filter((runtime) => runtime === "deno" || nodeMissing === undefined);
const TRANSFERS = 20;
const PARTS = 15;
const PART_BYTES = 50_000;

/** Sends its parts over about 1.5 s. */
function slowSource(): Promise<Target> {
  return Target.listen(async (conn) => {
    for (let part = 0; part < PARTS; part++) {
      await writeAll(conn, new Uint8Array(PART_BYTES).fill(part + 1));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await conn.closeWrite();
    await readAll(conn);
  });
}

for (const runtime of runtimes) {
  for (const flow of ["reverse", "forward"] as const) {
    for (const end of ["server", "client"] as const) {
      Deno.test(`SIGTERM at the ${end} lets transfers finish and ends with 0 (${flow}, ${runtime})`, async () => {
        await using target = await slowSource();
        await using pair = await startPair({ targets: [target.address], flow, server: runtime, client: runtime });
        const transfers = Array.from({ length: TRANSFERS }, async () => {
          const conn = await visit(pair.entry);
          try {
            return (await readAll(conn)).length;
          } finally {
            conn.close();
          }
        });
        await until("all transfers run", () => target.visitors.length === TRANSFERS);
        const asked = performance.now();
        pair[end].signal("SIGTERM");
        const takesVisitors = (flow === "reverse") === (end === "server");
        if (takesVisitors) {
          await pair[end].line("Stopping");
          await new Promise((resolve) => setTimeout(resolve, 100));
          ok(await turnedAway(pair.entry, bytesOf("x")));
        }
        for (const bytes of await Promise.all(transfers)) equal(bytes, PARTS * PART_BYTES);
        equal(await pair[end].exited, 0, pair[end].output);
        const took = performance.now() - asked;
        ok(took < 5_000, `${Math.round(took)} ms`);
        equal(target.visitors.length, TRANSFERS);
      });
    }
  }

  Deno.test(`SIGTERM cuts what is left after the grace (${runtime})`, async () => {
    await using target = await Target.listen();
    const env = { NP_SHUTDOWN_TIMEOUT: "700ms" };
    await using pair = await startPair({ targets: [target.address], server: runtime, client: runtime, env });
    const conn = await visit(pair.entry);
    await conn.write(bytesOf("x"));
    equal(await firstWords(conn), "x");
    const asked = performance.now();
    pair.server.signal("SIGTERM");
    equal(await pair.server.exited, 0, pair.server.output);
    const took = performance.now() - asked;
    ok(took >= 600 && took <= 1_700, `${Math.round(took)} ms`);
    equal(await firstWords(conn), "");
    conn.close();
  });

  Deno.test(`a second SIGTERM ends it at once (${runtime})`, async () => {
    await using target = await Target.listen();
    await using pair = await startPair({ targets: [target.address], server: runtime, client: runtime });
    const conn = await visit(pair.entry);
    await conn.write(bytesOf("x"));
    equal(await firstWords(conn), "x");
    pair.client.signal("SIGTERM");
    await pair.client.line("Stopping");
    const asked = performance.now();
    pair.client.signal("SIGTERM");
    await pair.client.exited;
    ok(performance.now() - asked < 1_000);
    conn.close();
  });

  Deno.test(`SIGHUP shows the new certificate and keeps live sessions (${runtime})`, async () => {
    await using files = await certificateFolder();
    await using target = await Target.listen();
    await using pair = await startPair({
      targets: [target.address],
      server: runtime,
      client: runtime,
      ...usingFiles(files),
    });
    const conn = await visit(pair.entry);
    await conn.write(bytesOf("before"));
    equal(await firstWords(conn), "before");
    const udp = await UdpVisitor.bind(pair.entry);
    await askUdp(udp, bytesOf("before"));
    const before = await leafOf(pair.tunnel.port);
    await files.renew([SERVER_NAME]);
    pair.server.signal("SIGHUP");
    await pair.server.line("Certificate files reloaded");
    notEqual(await leafOf(pair.tunnel.port), before);
    await conn.write(bytesOf("after"));
    equal(await firstWords(conn), "after");
    await askUdp(udp, bytesOf("after"));
    await Promise.all(Array.from({ length: 20 }, (_, seed) => echoTcp(pair.entry, 10_000, seed)));
    ok(!pair.client.output.includes("Client error"), pair.client.output);
    equal(pair.client.lines.filter((line) => line.includes("Tunnel handshaked")).length, 1);
    conn.close();
    udp[Symbol.dispose]();
  });

  Deno.test(`SIGHUP at a client trusts the authority that its crt= names now (${runtime})`, async () => {
    await using files = await certificateFolder();
    await using target = await Target.listen();
    await using pair = await startPair({
      targets: [target.address],
      server: runtime,
      client: runtime,
      ...usingFiles(files),
    });
    const conns = [await visit(pair.entry)];
    const asks = async (conn: Conn, word: string): Promise<void> => {
      await conn.write(bytesOf(word));
      equal(await firstWords(conn), word);
    };
    await asks(conns[0]!, "before");
    await files.replaceAuthority();
    for (const end of [pair.server, pair.client]) {
      end.signal("SIGHUP");
      await end.line("Certificate files reloaded");
    }
    await asks(conns[0]!, "after");
    // More than there are links: the others are opened now.
    for (let count = 0; count < 20; count++) conns.push(await visit(pair.entry));
    for (const conn of conns) await asks(conn, "more");
    for (const conn of conns) conn.close();
    await Deno.remove(files.ca);
    pair.client.signal("SIGHUP");
    await pair.client.line("Certificate files not reloaded: the old certificate stays");
    await echoTcp(pair.entry, 10_000, 1);
    ok(!pair.client.output.includes("Client error"), pair.client.output);
  });

  Deno.test(`SIGHUP with a changed run file keeps what did not change (${runtime})`, async () => {
    await using target = await Target.listen();
    const folder = await Deno.makeTempDir({ prefix: "nodepass-e2e-" });
    try {
      const path = `${folder}/tunnels.json`;
      const url = `client://127.0.0.1:0/127.0.0.1:${target.address.port}?mode=1`;
      const write = (tunnels: Readonly<Record<string, number>>): Promise<void> =>
        Deno.writeTextFile(
          path,
          JSON.stringify({
            tunnels: Object.entries(tunnels).map(([name, slot]) => ({ name, url: `${url}&slot=${slot}` })),
          }),
        );
      await write({ kept: 11, changed: 12, gone: 13 });
      await using run = startCommand(["run", "-c", path, "--log-format", "json"], { runtime });
      const listening = async (name: string, from = 0): Promise<SocketAddress> => {
        const line = new RegExp(`Forwarding visitors.*"instance":"${name}"`);
        return addressAfter(await run.line(line, { from }), '"listening":');
      };
      const [kept, changed, gone] = [await listening("kept"), await listening("changed"), await listening("gone")];
      const conn = await visit(kept);
      await conn.write(bytesOf("before"));
      equal(await firstWords(conn), "before");
      const from = run.lines.length;
      await write({ kept: 11, changed: 14, fresh: 15 });
      run.signal("SIGHUP");
      await run.line("run file are read again");
      await conn.write(bytesOf("after"));
      equal(await firstWords(conn), "after");
      await echoTcp(kept, 10_000, 1);
      await echoTcp(await listening("changed", from), 10_000, 2);
      await echoTcp(await listening("fresh", from), 10_000, 3);
      for (const door of [changed, gone]) ok(await turnedAway(door, bytesOf("x")));
      equal(run.lines.filter((line) => line.includes("Forwarding visitors")).length, 5);
      await Deno.writeTextFile(path, "{ broken");
      const { length } = run.lines;
      run.signal("SIGHUP");
      await run.line("everything stays as it is", { from: length });
      await echoTcp(kept, 10_000, 4);
      conn.close();
      equal(await run.stop(), 0);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/** The queries of a pair with `tls=2`. */
function usingFiles({ chain, key, ca }: CertificateFolder): Pick<PairOptions, "serverQuery" | "clientQuery"> {
  return { serverQuery: `tls=2&crt=${chain}&key=${key}`, clientQuery: `crt=${ca}&sni=${SERVER_NAME}` };
}

/** Fingerprint of the certificate at a port. */
function leafOf(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: "127.0.0.1", port, servername: SERVER_NAME, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().raw.toString("hex"));
      socket.destroy();
    });
    socket.on("error", reject);
  });
}
