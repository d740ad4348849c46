/**
 * What tests of visitors need: a configuration, a context on real sockets, small targets.
 *
 * @module
 */
import { joinBytes } from "../../../src/bytes/join.ts";
import { defaultSettings } from "../../../src/config/settings.ts";
import { parseTunnelUrl } from "../../../src/config/tunnel_url.ts";
import type { ClientConfig, HostPort, Settings } from "../../../src/config/types.ts";
import type { LineLevel, LogFields, Logger } from "../../../src/log/types.ts";
import { writeAll } from "../../../src/relay/write_all.ts";
import { detectRuntime } from "../../../src/runtime/detect.ts";
import type { Clock, Conn, Datagram, Listener, Runtime, SocketAddress } from "../../../src/runtime/types.ts";
import type { TunnelContext } from "../../../src/tunnel/context.ts";
import { createContext } from "../../../src/tunnel/create_context.ts";
import { startForwarder } from "../../../src/tunnel/forward.ts";
import type { TunnelHandle, TunnelStats } from "../../../src/tunnel/types.ts";
import { test } from "../../harness.ts";

export const runtime: Runtime = await detectRuntime();

const given = new Set<number>();

/** A port that a test may bind, and nobody listens on; another one each time. */
export async function freePort(host = "127.0.0.1"): Promise<number> {
  for (;;) {
    const listener = await runtime.net.listen({ host, port: 0 });
    const { port } = listener.local;
    listener.close();
    // The system may offer a port again as soon as it is closed.
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
}

/** The configuration of a single-end forwarder on loopback. */
export function forwardConfig(
  targets: readonly HostPort[],
  changes: Partial<ClientConfig> = {},
  settings: Partial<Settings> = {},
): ClientConfig {
  const url = "client://0123456789abcdef@127.0.0.1:0/127.0.0.1:1?mode=1&min=1";
  const { config } = parseTunnelUrl(url, { settings: { ...defaultSettings, ...settings }, strict: true });
  return { ...config as ClientConfig, targets, ...changes };
}

/** A logger that keeps its lines. */
export class LinesLogger implements Logger {
  readonly lines: { level: LineLevel; message: string; fields: LogFields }[];
  readonly #debug: boolean;
  readonly #bound: LogFields;

  constructor(debug = false, lines: LinesLogger["lines"] = [], bound: LogFields = {}) {
    this.#debug = debug;
    this.lines = lines;
    this.#bound = bound;
  }

  debug(message: string, fields: LogFields = {}): void {
    if (this.#debug) this.#add("debug", message, fields);
  }
  info(message: string, fields: LogFields = {}): void {
    this.#add("info", message, fields);
  }
  warn(message: string, fields: LogFields = {}): void {
    this.#add("warn", message, fields);
  }
  error(message: string, fields: LogFields = {}): void {
    this.#add("error", message, fields);
  }
  event(message: string, fields: LogFields = {}): void {
    this.#add("event", message, fields);
  }
  enabled(level: LineLevel): boolean {
    return level !== "debug" || this.#debug;
  }
  with(fields: LogFields): Logger {
    return new LinesLogger(this.#debug, this.lines, { ...this.#bound, ...fields });
  }
  #add(level: LineLevel, message: string, fields: LogFields): void {
    this.lines.push({ level, message, fields: { ...this.#bound, ...fields } });
  }
}

/** A running forwarder, its context and its lines; disposing closes all of it at once. */
export interface Forwarding extends AsyncDisposable {
  readonly handle: TunnelHandle;
  readonly context: TunnelContext<ClientConfig>;
  readonly logger: LinesLogger;
  readonly addr: SocketAddress;
}

/** Starts a forwarder; a given clock replaces the runtime's. */
export async function forwarding(
  config: ClientConfig,
  options: { clock?: Clock; debug?: boolean; onReport?: (stats: TunnelStats) => void } = {},
): Promise<Forwarding> {
  const logger = new LinesLogger(options.debug);
  const used = options.clock === undefined ? runtime : { ...runtime, clock: options.clock };
  const owned = createContext(config, used, logger);
  const handle = await startForwarder(owned.context, { onReport: options.onReport });
  if (handle.addr === null) throw new Error("the forwarder has no address");
  return {
    handle,
    context: owned.context,
    logger,
    addr: handle.addr,
    async [Symbol.asyncDispose]() {
      await handle.close({ graceMs: 0 });
      owned.close();
    },
  };
}

/** Connects to an address. */
export function dial(to: SocketAddress): Promise<Conn> {
  return runtime.net.connect({ ...to, timeoutMs: 5_000 });
}

/** Reads until the end of the stream. */
export async function readAll(conn: Pick<Conn, "read">): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(65_536);
  let total = 0;
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) break;
    parts.push(buffer.slice(0, count));
    total += count;
  }
  return joinBytes(parts, total);
}

/** True when the other side closed or reset the connection without sending anything. */
export async function endedEmpty(conn: Conn): Promise<boolean> {
  try {
    return await conn.read(new Uint8Array(1)) === null;
  } catch {
    return true;
  }
}

/** A TCP target that serves each connection with `serve`, closed with the test. */
export class TcpTarget implements AsyncDisposable {
  readonly #listener: Listener;
  readonly #conns = new Set<Conn>();
  readonly #done: Promise<void>;

  private constructor(listener: Listener, serve: (conn: Conn) => Promise<void>) {
    this.#listener = listener;
    this.#done = this.#accept(serve);
  }

  static async listen(serve: (conn: Conn) => Promise<void>, host = "127.0.0.1"): Promise<TcpTarget> {
    return new TcpTarget(await runtime.net.listen({ host, port: 0 }), serve);
  }

  /** Sends back what comes, then ends. */
  static echo(host?: string): Promise<TcpTarget> {
    return TcpTarget.listen(async (conn) => {
      const buffer = new Uint8Array(65_536);
      for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
        await writeAll(conn, buffer.subarray(0, count));
      }
      await conn.closeWrite();
    }, host);
  }

  get address(): SocketAddress {
    return this.#listener.local;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#conns.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) conn.close();
    await this.#done;
  }

  async #accept(serve: (conn: Conn) => Promise<void>): Promise<void> {
    const serving: Promise<void>[] = [];
    for (let conn = await this.#listener.accept(); conn !== null; conn = await this.#listener.accept()) {
      const own = conn;
      this.#conns.add(own);
      serving.push(
        serve(own).catch(() => {}).finally(() => {
          own.close();
          this.#conns.delete(own);
        }),
      );
    }
    await Promise.all(serving);
  }
}

/** A UDP target that answers each datagram with what `answer` makes of it. */
export class UdpTarget implements AsyncDisposable {
  readonly #socket: Datagram;
  readonly #done: Promise<void>;
  /** Who sent something. */
  readonly sources: Set<number> = new Set();

  private constructor(socket: Datagram, answer: (bytes: Uint8Array, from: SocketAddress) => Uint8Array | null) {
    this.#socket = socket;
    this.#done = this.#serve(answer);
  }

  static async bind(
    answer: (bytes: Uint8Array, from: SocketAddress) => Uint8Array | null = (bytes) => bytes,
    host = "127.0.0.1",
  ): Promise<UdpTarget> {
    return new UdpTarget(await runtime.udp.bind({ host, port: 0 }), answer);
  }

  get address(): SocketAddress {
    return this.#socket.local;
  }

  async send(bytes: Uint8Array, to: SocketAddress): Promise<void> {
    await this.#socket.send(bytes, to);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#done;
  }

  async #serve(answer: (bytes: Uint8Array, from: SocketAddress) => Uint8Array | null): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const [bytes, from] = await this.#socket.receive(buffer);
        this.sources.add(from.port);
        const reply = answer(bytes, from);
        if (reply !== null) await this.#socket.send(reply, from);
      }
    } catch {
      // Closed with the test.
    }
  }
}

/** A visitor's UDP socket. */
export class UdpVisitor implements Disposable {
  readonly #socket: Datagram;
  readonly #to: SocketAddress;
  readonly #buffer = new Uint8Array(65_536);

  private constructor(socket: Datagram, to: SocketAddress) {
    this.#socket = socket;
    this.#to = to;
  }

  static async bind(to: SocketAddress): Promise<UdpVisitor> {
    return new UdpVisitor(await runtime.udp.bind({ host: to.host.includes(":") ? "::1" : "127.0.0.1", port: 0 }), to);
  }

  get local(): SocketAddress {
    return this.#socket.local;
  }

  async send(bytes: Uint8Array): Promise<void> {
    await this.#socket.send(bytes, this.#to);
  }

  async receive(): Promise<Uint8Array> {
    const [bytes] = await this.#socket.receive(this.#buffer);
    return bytes.slice();
  }

  async ask(bytes: Uint8Array): Promise<Uint8Array> {
    const answer = this.receive();
    await this.send(bytes);
    return await answer;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** Seeded bytes: the same on every run. */
export function seededBytes(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = (seed + 1) * 0x9e3779b9 >>> 0;
  for (let at = 0; at < words.length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[at] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

/** SHA-256 in hexadecimal. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Takes over something that must be closed at the end of the test. */
export type Own = <T extends Disposable | AsyncDisposable>(value: T | Promise<T>) => Promise<T>;

/** Registers a test that closes what it owns in reverse order (Node 22 does not parse `await using`). */
export function ownedTest(name: string, run: (own: Own) => Promise<void>): void {
  test(name, async () => {
    const owned: (Disposable | AsyncDisposable)[] = [];
    try {
      await run(async (value) => {
        const thing = await value;
        owned.push(thing);
        return thing;
      });
    } finally {
      for (const thing of owned.reverse()) {
        if (Symbol.asyncDispose in thing) await thing[Symbol.asyncDispose]();
        else thing[Symbol.dispose]();
      }
    }
  });
}
