/** An authority that the system trusts does not let anybody in between: neither on control channels nor on links. */
import { join } from "node:path/posix";
import type { Conn, Listener, SocketAddress } from "../../src/runtime/types.ts";
import { writeAll } from "../../src/relay/write_all.ts";
import { deriveClientIdentity } from "../../src/wire/secure/identity.ts";
import { deriveRoot } from "../../src/wire/secure/root_secret.ts";
import { createAuthority } from "../conformance/runtime_certificates.ts";
import { startServer, TEST_KEY } from "../e2e/ends.ts";
import { nodeMissing, type RuntimeName, startUrl } from "../e2e/process.ts";
import { deepEqual, equal, match } from "../harness.ts";
import { runtime } from "../unit/tunnel/forward_fixture.ts";

const INTERNAL_NAME = "nodepass.internal";
const identity = await deriveClientIdentity(await deriveRoot(TEST_KEY));

/** Passes the first connections on as they are; ends the TLS of all others, and goes on to the server in TLS. */
class Middle implements AsyncDisposable {
  /** Reads from clients that it could decrypt. */
  read = 0;
  #passed = 0;
  readonly #front: Listener;
  readonly #inner: Listener;
  readonly #server: SocketAddress;
  readonly #first: number;
  readonly #conns = new Set<Conn>();
  readonly #done: Promise<unknown>;

  private constructor(front: Listener, inner: Listener, server: SocketAddress, first: number) {
    this.#front = front;
    this.#inner = inner;
    this.#server = server;
    this.#first = first;
    this.#done = Promise.all([
      accepting(front, (conn) => this.#arrive(conn)),
      accepting(inner, (conn) => this.#readAlong(conn)),
    ]);
  }

  static async listen(
    server: SocketAddress,
    certificate: { readonly chainPem: string; readonly keyPem: string },
    first: number,
  ): Promise<Middle> {
    const loopback = { host: "127.0.0.1", port: 0 };
    const inner = await runtime.tls.listen({ ...loopback, certificate });
    return new Middle(await runtime.net.listen(loopback), inner, server, first);
  }

  get address(): SocketAddress {
    return this.#front.local;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#front.close();
    this.#inner.close();
    for (const conn of this.#conns) conn.close();
    await this.#done;
  }

  async #arrive(client: Conn): Promise<void> {
    const to = this.#passed++ < this.#first ? this.#server : this.#inner.local;
    await this.#join(client, await runtime.net.connect({ ...to, timeoutMs: 5_000 }), () => {});
  }

  async #readAlong(client: Conn & { handshake?: () => Promise<void> }): Promise<void> {
    this.#conns.add(client);
    await client.handshake?.();
    const trust = { kind: "only", caPem: identity.caPem } as const;
    const server = await runtime.tls.connect({
      ...this.#server,
      timeoutMs: 5_000,
      serverName: INTERNAL_NAME,
      trust,
    });
    await this.#join(client, server, () => this.read++);
  }

  async #join(client: Conn, server: Conn, heard: () => void): Promise<void> {
    for (const conn of [client, server]) this.#conns.add(conn);
    await Promise.all([pump(client, server, heard), pump(server, client, () => {})]);
  }
}

async function accepting(listener: Listener, serve: (conn: Conn) => Promise<void>): Promise<void> {
  const serving: Promise<void>[] = [];
  for (let conn = await listener.accept(); conn !== null; conn = await listener.accept()) {
    const own = conn;
    serving.push(serve(own).catch(() => own.close()));
  }
  await Promise.all(serving);
}

async function pump(from: Conn, to: Conn, heard: () => void): Promise<void> {
  const buffer = new Uint8Array(16_384);
  try {
    for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
      heard();
      await writeAll(to, buffer.subarray(0, count));
    }
  } catch {
    // One of them hung up.
  }
  from.close();
  to.close();
}

/** How each runtime is told to trust one more authority. */
const ways: readonly (readonly [RuntimeName, (pem: string) => Record<string, string>])[] = [
  ["deno", (pem) => ({ DENO_CERT: pem })],
  ["deno", (pem) => ({ DENO_TLS_CA_STORE: "system,mozilla", SSL_CERT_FILE: pem })],
  ["node", (pem) => ({ NODE_EXTRA_CA_CERTS: pem })],
  ["node", (pem) => ({ NODE_OPTIONS: "--use-openssl-ca", SSL_CERT_FILE: pem })],
];

for (const [client, variables] of ways) {
  const names = Object.keys(variables("")).join(" and ");
  Deno.test({
    name: `a trusted authority in between gets neither a control channel nor a link (${client}, ${names})`,
    ignore: client === "node" && nodeMissing !== undefined,
    fn: async () => {
      const authority = await createAuthority("Trusted by the system");
      const certificate = await authority.issue([INTERNAL_NAME]);
      const folder = await Deno.makeTempDir();
      const pem = join(folder, "ca.pem");
      await Deno.writeTextFile(pem, authority.caPem);
      const env = variables(pem);
      try {
        for (const query of ["", "&tls=1", `&tls=2&sni=${INTERNAL_NAME}`]) {
          await using server =
            (await startServer({ targets: [], serverQuery: "tls=1", env: { NP_REPORT_INTERVAL: "1s" } })).process;
          const [, port] = /tunnel=127\.0\.0\.1:(\d+)/.exec(server.output)!;
          const tunnel = { host: "127.0.0.1", port: Number(port) };
          const url = (at: SocketAddress): string =>
            `client://${TEST_KEY}@127.0.0.1:${at.port}/127.0.0.1:9?mode=2&min=4${query}`;

          await using middle = await Middle.listen(tunnel, certificate, 0);
          await using kept = startUrl(url(middle.address), { runtime: client, env });
          await kept.line("Client error: ");
          deepEqual([/handshaked/.test(server.output), /handshaked/.test(kept.output)], [false, false]);
          // Who asks for the roots of the system gets them: the proof refuses what they let through.
          const trusted = query.includes("tls=2");
          equal(middle.read > 0, trusted, kept.output);
          if (trusted) continue;
          kept.signal("SIGKILL");
          await kept.exited;

          // The control channel comes through untouched, its links do not.
          await using later = await Middle.listen(tunnel, certificate, 1);
          await using linked = startUrl(url(later.address), { runtime: client, env });
          await linked.line("Tunnel handshaked: ");
          await linked.line("Cannot open a link");
          const checkpoint = await server.line(/CHECK_POINT/, { from: server.lines.length });
          match(checkpoint, /POOL=0\|/);
          equal(later.read, 0);
        }
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}
