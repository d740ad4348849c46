/**
 * What a tunnel leads to: a target that echoes TCP and UDP on one port.
 *
 * @module
 */
import { writeAll } from "../../src/relay/write_all.ts";
import type { Conn, Datagram, Listener, SocketAddress } from "../../src/runtime/types.ts";
import { runtime } from "../unit/tunnel/forward_fixture.ts";

/** What happens to a TCP connection of a target. */
export type Serve = (conn: Conn) => Promise<void>;

/** Sends back what comes, then ends: the `serve` of an echo. */
export async function echo(conn: Pick<Conn, "read" | "write" | "closeWrite">): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
    await writeAll(conn, buffer.subarray(0, count));
  }
  await conn.closeWrite();
}

/** A target on one port for TCP and UDP; UDP is always echoed. */
export class Target implements AsyncDisposable {
  /** Who connected, in order. */
  readonly visitors: SocketAddress[] = [];
  /** Who sent datagrams. */
  readonly sources: Set<string> = new Set();
  /** TCP connections that are open now. */
  readonly open: Set<Conn> = new Set();
  readonly #listener: Listener;
  readonly #socket: Datagram;
  readonly #done: Promise<unknown>;

  private constructor(listener: Listener, socket: Datagram, serve: Serve) {
    this.#listener = listener;
    this.#socket = socket;
    this.#done = Promise.all([this.#accept(serve), this.#answer()]);
  }

  /** Listens on a port that is free for both protocols, unless one is given. */
  static async listen(serve: Serve = echo, host = "127.0.0.1", port = 0): Promise<Target> {
    for (let attempts = 0;; attempts++) {
      const listener = await runtime.net.listen({ host, port });
      try {
        return new Target(listener, await runtime.udp.bind(listener.local), serve);
      } catch (error) {
        listener.close();
        if (attempts === 10) throw error;
      }
    }
  }

  get address(): SocketAddress {
    return this.#listener.local;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.#socket.close();
    for (const conn of this.open) conn.close();
    await this.#done;
  }

  async #accept(serve: Serve): Promise<void> {
    const serving = new Set<Promise<void>>();
    for (let conn = await this.#listener.accept(); conn !== null; conn = await this.#listener.accept()) {
      const own = conn;
      this.visitors.push(own.remote);
      this.open.add(own);
      const served: Promise<void> = serve(own).catch(() => {}).finally(() => {
        own.close();
        this.open.delete(own);
        serving.delete(served);
      });
      serving.add(served);
    }
    await Promise.all(serving);
  }

  async #answer(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const [bytes, from] = await this.#socket.receive(buffer);
        this.sources.add(`${from.host}:${from.port}`);
        await this.#socket.send(bytes, from);
      }
    } catch {
      // Closed with the test.
    }
  }
}
