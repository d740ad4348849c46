/**
 * A tunnel port without sockets: connections are what a test pushes.
 *
 * @module
 */
import { parseTunnelUrl } from "../../../../src/config/tunnel_url.ts";
import { defaultSettings } from "../../../../src/config/settings.ts";
import type { ServerConfig, Settings } from "../../../../src/config/types.ts";
import { messageOf, NodePassError } from "../../../../src/errors.ts";
import type { LineLevel, LogFields, Logger } from "../../../../src/log/types.ts";
import type { Clock, Conn, Files, Listener, Runtime, ServerCertificate } from "../../../../src/runtime/types.ts";
import type { TunnelContext } from "../../../../src/tunnel/context.ts";
import { createContext } from "../../../../src/tunnel/create_context.ts";
import { FakeClock } from "../../../fake_clock.ts";

/** One line that was logged. */
export interface LoggedLine {
  readonly level: LineLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** Keeps lines. */
export class MemoryLogger implements Logger {
  readonly lines: LoggedLine[] = [];
  debug(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: "debug", message, fields });
  }
  info(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: "info", message, fields });
  }
  warn(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: "warn", message, fields });
  }
  error(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: "error", message, fields });
  }
  event(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: "event", message, fields });
  }
  /** All levels but `debug`, as the default `log=info`. */
  enabled(level: LineLevel): boolean {
    return level !== "debug";
  }
  with(): Logger {
    return this;
  }
  of(level: LineLevel): string[] {
    return this.lines.filter((line) => line.level === level).map((line) => line.message);
  }
}

/** A connection whose other side is the test. */
export class MemoryConn implements Conn {
  readonly local = { host: "127.0.0.1", port: 1 };
  readonly remote: { host: string; port: number };
  /** A TLS handshake that the test settles; absent in clear. */
  handshake?: () => Promise<void>;
  closed = false;
  taken = 0;
  #bytes = new Uint8Array(0);
  #ended = false;
  #wake: (() => void) | null = null;

  constructor(host: string) {
    this.remote = { host, port: 40000 };
  }

  /** Bytes from the other side. */
  send(bytes: Uint8Array): void {
    const joined = new Uint8Array(this.#bytes.length + bytes.length);
    joined.set(this.#bytes);
    joined.set(bytes, this.#bytes.length);
    this.#bytes = joined;
    this.#wake?.();
  }

  /** The other side sends nothing more. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** Bytes that nobody read. */
  get unread(): number {
    return this.#bytes.length;
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#bytes.length === 0 && !this.#ended && !this.closed) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    if (this.closed) throw new NodePassError("closed", "closed");
    if (this.#bytes.length === 0) return null;
    const count = Math.min(into.length, this.#bytes.length);
    into.set(this.#bytes.subarray(0, count));
    this.#bytes = this.#bytes.slice(count);
    this.taken += count;
    return count;
  }

  write(bytes: Uint8Array): Promise<number> {
    return Promise.resolve(bytes.length);
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.closed = true;
    this.#wake?.();
  }

  reset(): void {
    this.close();
  }
}

/** A listener that hands out what the test pushes. */
export class MemoryListener implements Listener {
  readonly local = { host: "127.0.0.1", port: 10101 };
  readonly certificates: ServerCertificate[] = [];
  /** What the next `setCertificate` throws. */
  refuse: Error | null = null;
  closed = false;
  #queue: (Conn | Error)[] = [];
  #waiting: (() => void) | null = null;

  push(...items: (Conn | Error)[]): void {
    this.#queue.push(...items);
    this.#waiting?.();
  }

  async accept(): Promise<Conn | null> {
    while (this.#queue.length === 0 && !this.closed) await new Promise<void>((resolve) => this.#waiting = resolve);
    const item = this.#queue.shift();
    if (item === undefined) return null;
    if (item instanceof Error) throw item;
    return item;
  }

  setCertificate(certificate: ServerCertificate): Promise<void> {
    if (this.refuse !== null) return Promise.reject(this.refuse);
    this.certificates.push(certificate);
    return Promise.resolve();
  }

  close(): void {
    this.closed = true;
    this.#waiting?.();
  }
}

/** What a test of the acceptor holds. */
export interface MemoryPort {
  readonly context: TunnelContext<ServerConfig>;
  readonly clock: FakeClock;
  readonly listener: MemoryListener;
  readonly logger: MemoryLogger;
  readonly files: Map<string, string>;
}

/** A server configuration from the query of its URL. */
export function serverConfig(query: string, settings: Partial<Settings> = {}): ServerConfig {
  const { config } = parseTunnelUrl(`server://key@127.0.0.1:0/127.0.0.1:8080?${query}`, {
    settings: { ...defaultSettings, ...settings },
    strict: true,
  });
  if (config.role !== "server") throw new Error("not a server");
  return config;
}

/** A context around any runtime. */
export function contextOf(runtime: Runtime, config: ServerConfig, logger: Logger): TunnelContext<ServerConfig> {
  return createContext(config, runtime, logger).context;
}

/** An instance's context over an in-memory port. */
export function memoryPort(query = "tls=0"): MemoryPort {
  const clock = new FakeClock();
  const listener = new MemoryListener();
  const logger = new MemoryLogger();
  const files = new Map<string, string>();
  const context = contextOf(memoryRuntime(clock, listener, files), serverConfig(query), logger);
  return { context, clock, listener, logger, files };
}

function memoryRuntime(clock: Clock, listener: MemoryListener, texts: Map<string, string>): Runtime {
  const files: Pick<Files, "readText" | "modifiedAt"> = {
    readText(path) {
      const text = texts.get(path);
      return text === undefined
        ? Promise.reject(new NodePassError("not_found", `Cannot read "${path}": no such file`))
        : Promise.resolve(text);
    },
    modifiedAt: () => Promise.resolve(0),
  };
  const listen = { listen: () => Promise.resolve(listener) };
  const toError = (error: unknown): NodePassError =>
    error instanceof NodePassError ? error : new NodePassError("io", messageOf(error), { cause: error });
  return { name: "deno", net: listen, tls: listen, webSockets: listen, files, clock, toError } as unknown as Runtime;
}

/** Lets everything that waits on promises alone run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setTimeout(resolve, 0));
}
