/** What strangers choose may stand in a line, but never acts: no control character, no terminal sequence, no megabytes. */
import { defaultSettings } from "../../src/config/settings.ts";
import { parseTunnelUrl } from "../../src/config/tunnel_url.ts";
import { messageOf } from "../../src/errors.ts";
import { createLogger } from "../../src/log/logger.ts";
import type { Logger } from "../../src/log/types.ts";
import { writeAll } from "../../src/relay/write_all.ts";
import type { Conn, Listener, SocketAddress } from "../../src/runtime/types.ts";
import { startTunnel } from "../../src/start/tunnel.ts";
import { connectControl } from "../../src/wire/secure/client_connect.ts";
import { FrameType, writeFrameHeader } from "../../src/wire/secure/frames.ts";
import { deriveClientIdentity } from "../../src/wire/secure/identity.ts";
import { readOpening } from "../../src/wire/secure/opening.ts";
import { deriveRoot } from "../../src/wire/secure/root_secret.ts";
import { serverHandshake } from "../../src/wire/secure/server_handshake.ts";
import { clientUrl, KEY, serverUrl } from "../e2e/in_process.ts";
import { until } from "../e2e/load.ts";
import { bytesOf, turnedAway, visit } from "../e2e/visitors.ts";
import { deepEqual, ok, test } from "../harness.ts";
import { type Own, ownedTest, runtime, TcpTarget } from "../unit/tunnel/forward_fixture.ts";
import { connectWish } from "../unit/wire/secure/connect_options.ts";

/** C0, C1, ANSI, a line of its own, bidi overrides, zero-width characters, tags. */
const EVIL =
  "\r\n2026-01-01 00:00:00.000  ERROR  forged\x1b[2J\x1b]0;title\x07\x9b31m\u202egnp\u2066\u200b\ufeff\u{e0041}\0";
const ACTS =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/u;
const LONGEST_LINE = 3_000;
const MEGABYTE = "x".repeat(1_000_000);

/** Writes as the product does, in both forms. */
class Lines {
  readonly text: string[] = [];
  readonly json: string[] = [];
  readonly logger: Logger;

  constructor() {
    const options = { level: "debug", color: false, wall: () => 0 } as const;
    const loggers = [
      createLogger({ ...options, format: "text", write: (line) => this.text.push(line) }),
      createLogger({ ...options, format: "json", write: (line) => this.json.push(line) }),
    ];
    const each = (write: (logger: Logger) => void): void => loggers.forEach(write);
    this.logger = {
      debug: (message, fields) => each((logger) => logger.debug(message, fields)),
      info: (message, fields) => each((logger) => logger.info(message, fields)),
      warn: (message, fields) => each((logger) => logger.warn(message, fields)),
      error: (message, fields) => each((logger) => logger.error(message, fields)),
      event: (message, fields) => each((logger) => logger.event(message, fields)),
      enabled: () => true,
      with: () => this.logger,
    };
  }

  get all(): string[] {
    return [...this.text, ...this.json];
  }

  /** Fails for a line that acts or that is too long. */
  check(): void {
    for (const line of this.all) {
      ok(!ACTS.test(line), JSON.stringify(line));
      ok(line.length <= LONGEST_LINE, `${line.length} characters`);
    }
    for (const line of this.json) JSON.parse(line);
  }
}

async function start(own: Own, url: string, lines: Lines) {
  const { config } = parseTunnelUrl(url, { settings: defaultSettings, strict: true });
  const handle = await startTunnel(config, { logger: lines.logger });
  await own({ [Symbol.asyncDispose]: () => handle.close({ graceMs: 0 }) });
  return handle;
}

function frame(type: number, payload: Uint8Array, announced = payload.length): Uint8Array {
  const bytes = new Uint8Array(4 + payload.length);
  writeFrameHeader(bytes, 0, type, announced);
  bytes.set(payload, 4);
  return bytes;
}

const config = (members: object): Uint8Array => frame(FrameType.CONFIG, bytesOf(JSON.stringify(members)));
const serverConfig = {
  flow: "reverse",
  maxLinks: 8,
  tcp: true,
  udp: true,
  delaysSmallWrites: false,
  reportIntervalMs: 5_000,
  version: "1",
};

/** A server that knows the key and says `frames` to each client. */
async function hostileServer(own: Own, frames: readonly Uint8Array[]): Promise<SocketAddress> {
  const root = await deriveRoot(KEY);
  const listener: Listener = await runtime.net.listen({ host: "127.0.0.1", port: 0 });
  const conns = new Set<Conn>();
  const serve = async (conn: Conn): Promise<void> => {
    conns.add(conn);
    const { bytes } = await readOpening(conn);
    await serverHandshake(conn, bytes, {
      root,
      random: runtime.random,
      transport: "tcp",
      tls: "plain",
      leafSha256: null,
      resumeSecrets: () => [],
    });
    for (const frame of frames) await writeAll(conn, frame);
  };
  const accepting = (async () => {
    for (let conn = await listener.accept(); conn !== null; conn = await listener.accept()) {
      const own = conn;
      serve(own).catch(() => own.close());
    }
  })();
  await own({
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const conn of conns) conn.close();
      await accepting;
    },
  });
  return listener.local;
}

const serversWords: readonly (readonly [string, readonly Uint8Array[]])[] = [
  ["a reason", [frame(FrameType.REFUSED, bytesOf(EVIL + "z".repeat(150)))]],
  ["a reason that is no UTF-8", [frame(FrameType.REFUSED, Uint8Array.from({ length: 256 }, (_, at) => at))]],
  ["a flow", [config({ ...serverConfig, flow: EVIL })]],
  ["a version", [config({ ...serverConfig, version: EVIL + "y".repeat(3_000) })]],
  ["a number", [config({ ...serverConfig, maxLinks: EVIL })]],
  ["a configuration of noise", [frame(FrameType.CONFIG, bytesOf(EVIL.repeat(20)))]],
  ["a megabyte", [frame(FrameType.REFUSED, bytesOf(MEGABYTE))]],
];

for (const [name, frames] of serversWords) {
  ownedTest(`a client writes ${name} of its server in one harmless line`, async (own) => {
    const lines = new Lines();
    const server = await hostileServer(own, frames);
    await start(own, clientUrl(server, "127.0.0.1:9", "mode=2&log=debug"), lines);
    await until("an error is written", () => lines.all.some((line) => line.includes("Client error: ")));
    lines.check();
    ok(!lines.all.some((line) => /^\S+ \S+ {2}ERROR {2}forged/.test(line)));
  });
}

ownedTest("a server writes the words of a hostile client in harmless lines", async (own) => {
  const lines = new Lines();
  const server = await start(own, serverUrl("127.0.0.1:0", "mode=1&tls=0&log=debug"), lines);
  const root = await deriveRoot(KEY);
  const identity = await deriveClientIdentity(root);
  const clientConfig = { minLinks: 1, delaysSmallWrites: false, version: "1" };
  const words = [
    config({ ...clientConfig, version: EVIL }),
    config({ ...clientConfig, version: EVIL + "y".repeat(3_000) }),
    config({ ...clientConfig, minLinks: EVIL }),
    frame(FrameType.CONFIG, bytesOf(EVIL.repeat(20))),
    frame(FrameType.REFUSED, bytesOf(EVIL)),
    frame(FrameType.DATA, bytesOf(EVIL)),
    frame(0x1b, bytesOf(EVIL)),
  ];
  for (const word of words) {
    const { conn } = await connectControl(connectWish({ root, identity }, server.addr!));
    await until("the handshake is known", () => server.stats().peers.length > 0);
    await writeAll(conn, word).catch(() => {});
    if (word !== words[0]) {
      await until("the client is gone", () => server.stats().peers.every(({ address }) => address === ""), 300).catch(
        () => {},
      );
    }
    conn.close();
  }
  await until("ends are written", () => lines.text.filter((line) => line.includes("Client disconnected")).length >= 6);
  // Openings of people without the key.
  for (
    const opening of [
      bytesOf(EVIL.repeat(10)),
      bytesOf(`GET /${EVIL} HTTP/1.1\r\nHost: ${EVIL}\r\n\r\n`),
      bytesOf("\x16\x03\x01" + EVIL),
    ]
  ) {
    ok(await turnedAway(server.addr!, opening));
  }
  lines.check();
});

ownedTest("bytes of visitors are in no line, blocked or carried", async (own) => {
  const mark = "Visitor5ecret";
  const lines = new Lines();
  const target = await own(TcpTarget.echo());
  const { host, port } = target.address;
  const server = await start(own, serverUrl("127.0.0.1:0", "mode=1&tls=0&log=debug&block=12"), lines);
  const client = await start(own, clientUrl(server.addr!, `${host}:${port}`, "mode=2&min=2&log=debug"), lines);
  await until("links are ready", () => server.stats().pool > 0 && client.stats().pool > 0);
  const [entry] = server.entries as [SocketAddress];
  ok(await turnedAway(entry, bytesOf(`GET /${mark} HTTP/1.1\r\nHost: ${mark}\r\n\r\n`)));
  const visitor = await visit(entry);
  await writeAll(visitor, bytesOf(`${mark}${EVIL}`));
  ok(await visitor.read(new Uint8Array(100)) !== null);
  visitor.reset();
  await until("the session is over", () => server.stats().tcpSessions === 0 && client.stats().tcpSessions === 0);
  lines.check();
  deepEqual(lines.all.filter((line) => line.includes(mark)), []);
  ok(lines.text.length > 6);
});

test("every part of a URL may be hostile: what is said about it is bounded and harmless when it is written", () => {
  const encoded = encodeURIComponent(EVIL);
  const lines = new Lines();
  for (const evil of [EVIL, encoded, MEGABYTE]) {
    for (
      const url of [
        evil,
        `server://${evil}@127.0.0.1:1/127.0.0.1:2`,
        `server://k@${evil}:1/127.0.0.1:2`,
        `server://k@127.0.0.1:${evil}/127.0.0.1:2`,
        `server://k@127.0.0.1:1/${evil}`,
        `server://k@127.0.0.1:1/127.0.0.1:2?${evil}=1`,
        ...["tls", "crt", "mode", "dial", "read", "rate", "sni", "type", "path", "allow", "log", "min"].map((name) =>
          `client://k@127.0.0.1:1/127.0.0.1:2?${name}=${evil}`
        ),
      ]
    ) {
      for (const strict of [true, false]) {
        try {
          const { warnings } = parseTunnelUrl(url, { settings: defaultSettings, strict });
          for (const warning of warnings) lines.logger.warn(warning);
        } catch (error) {
          lines.logger.error(messageOf(error));
        }
      }
    }
  }
  ok(lines.text.length > 50);
  lines.check();
});
