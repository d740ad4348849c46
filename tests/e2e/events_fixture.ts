/**
 * A server with nothing but events, readers that read, and readers that never do.
 *
 * @module
 */
import { Hono } from "hono";
import type { HttpBindings } from "@hono/node-server";
import { type HttpServer, serveHttp } from "../../src/http/serve.ts";
import { answerEvents } from "../../src/http/sse.ts";
import { Hub } from "../../src/master/events/hub.ts";
import type { InstanceView } from "../../src/master/instance.ts";
import { writeAll } from "../../src/relay/write_all.ts";
import type { Conn, ServerCertificate, SocketAddress } from "../../src/runtime/types.ts";
import { type Frame, parseFrame } from "../unit/master/events_fixture.ts";
import { LinesLogger, runtime } from "../unit/tunnel/forward_fixture.ts";
import { until } from "./load.ts";

/** Events behind a real server. */
export interface EventServer {
  readonly hub: Hub;
  readonly server: HttpServer;
  /** A reader that goes with the server. */
  read(headers?: Readonly<Record<string, string>>): Promise<EventReader>;
}

/** Runs `work` beside a server on a free port of loopback. */
export async function withEvents(
  instances: readonly InstanceView[],
  work: (events: EventServer) => Promise<void>,
  certificate: ServerCertificate | null = null,
): Promise<void> {
  const source = {
    list: () => instances,
    get: (id: string) => instances.find((instance) => instance.id === id) ?? null,
  };
  const hub = new Hub({ clock: runtime.clock, run: 1, instances: source });
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.get("/events", (context) => {
    context.header("X-Before", "kept");
    return answerEvents(context, (stream, lastEventId) => hub.attach(stream, lastEventId));
  });
  const server = await serveHttp({
    listen: { host: "127.0.0.1", port: 0 },
    certificate,
    fetch: (request, connection) => app.fetch(request, connection as HttpBindings),
    runtime,
    logger: new LinesLogger(),
  });
  const readers: EventReader[] = [];
  const read: EventServer["read"] = async (headers) => {
    const reader = await EventReader.open(`http://127.0.0.1:${server.addr.port}/events`, headers);
    readers.push(reader);
    return reader;
  };
  try {
    await work({ hub, server, read });
  } finally {
    await Promise.all(readers.map((reader) => reader.close()));
    await server.close();
  }
}

/** Reads events as they come. */
export class EventReader {
  readonly headers: Headers;
  readonly status: number;
  /** Events so far. */
  readonly frames: Frame[] = [];
  /** When each one came, by the clock of `performance`. */
  readonly times: number[] = [];
  /** What came before the first event. */
  preface = "";
  /** How it ended; null while it goes on. */
  end: "clean" | "broken" | null = null;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #reading: Promise<void>;

  private constructor(response: Response) {
    this.headers = response.headers;
    this.status = response.status;
    this.#reader = response.body!.getReader();
    this.#reading = this.#read();
  }

  static async open(url: string, headers: Readonly<Record<string, string>> = {}): Promise<EventReader> {
    return new EventReader(await fetch(url, { headers }));
  }

  /** What happened to whom, for short. */
  get story(): string[] {
    return this.frames.map(({ data: { type, instance, logs } }) =>
      [type, instance?.id, logs].filter((word) => word !== undefined && word !== "").join(" ")
    );
  }

  /** Waits for so many events. */
  async count(count: number, ms?: number): Promise<void> {
    await until(`${count} events came`, () => this.frames.length >= count, ms);
  }

  /** Waits for the end of the stream. */
  async ended(): Promise<"clean" | "broken"> {
    await until("the stream ended", () => this.end !== null);
    return this.end!;
  }

  /** Goes away. Idempotent. */
  async close(): Promise<void> {
    // Not through a signal: on Deno it was seen to leave an answer open on which much arrives.
    await this.#reader.cancel().catch(() => {});
    await this.#reading;
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    try {
      for (let read = await this.#reader.read(); !read.done; read = await this.#reader.read()) {
        const parts = (rest + decoder.decode(read.value, { stream: true })).split("\n\n");
        rest = parts.pop()!;
        for (const part of parts) {
          if (part.startsWith("retry:")) {
            this.preface += part;
            continue;
          }
          this.frames.push(parseFrame(part));
          this.times.push(performance.now());
        }
      }
      this.end = rest === "" ? "clean" : "broken";
    } catch {
      this.end = "broken";
    }
  }
}

/** Asks for events, inside TLS when there is an authority to believe, and reads none of them. */
export async function neverRead(addr: SocketAddress, path: string, caPem?: string, headers = ""): Promise<Conn> {
  const options = { ...addr, timeoutMs: 5_000 };
  const conn = caPem === undefined
    ? await runtime.net.connect(options)
    : await runtime.tls.connect({ ...options, serverName: "events.test", trust: { kind: "only", caPem } });
  await writeAll(conn, new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`));
  return conn;
}
