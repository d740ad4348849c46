/**
 * Someone on the path who writes down what passes.
 *
 * @module
 */
import { writeAll } from "../../src/relay/write_all.ts";
import type { Conn, Listener, SocketAddress } from "../../src/runtime/types.ts";
import { runtime } from "../unit/tunnel/forward_fixture.ts";

/** Where the head of a connection says what it is for, and what a control channel says there. */
const KIND_AT = 5;
const CONTROL = 1;

/** What one connection said, to the server and back. */
export interface Recording {
  readonly up: Uint8Array[];
  readonly down: Uint8Array[];
}

/** All bytes of a direction. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** Relays connections to a server and keeps their bytes, in the order in which they came. */
export class Tap implements AsyncDisposable {
  readonly recordings: Recording[] = [];
  readonly #listener: Listener;
  readonly #target: SocketAddress;
  readonly #conns = new Set<Conn>();
  /** The client's end of each recording. */
  readonly #clients: Conn[] = [];
  readonly #done: Promise<void>;

  private constructor(listener: Listener, target: SocketAddress) {
    this.#listener = listener;
    this.#target = target;
    this.#done = this.#accept();
  }

  static async listen(target: SocketAddress): Promise<Tap> {
    return new Tap(await runtime.net.listen({ host: "127.0.0.1", port: 0 }), target);
  }

  get address(): SocketAddress {
    return this.#listener.local;
  }

  /** Hangs up the control channel: of those in clear, the last connection that said so in its head. */
  cutControl(): void {
    const last = this.recordings.findLastIndex(({ up }) => up[0]?.[KIND_AT] === CONTROL);
    this.#clients[last]?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) conn.close();
    await this.#done;
  }

  async #accept(): Promise<void> {
    const relays: Promise<void>[] = [];
    for (let conn = await this.#listener.accept(); conn !== null; conn = await this.#listener.accept()) {
      relays.push(this.#relay(conn));
    }
    await Promise.all(relays);
  }

  async #relay(client: Conn): Promise<void> {
    const recording: Recording = { up: [], down: [] };
    this.recordings.push(recording);
    this.#clients.push(client);
    const server = await runtime.net.connect({ ...this.#target, timeoutMs: 5_000 });
    for (const conn of [client, server]) this.#conns.add(conn);
    await Promise.all([pump(client, server, recording.up), pump(server, client, recording.down)]);
  }
}

async function pump(from: Conn, to: Conn, chunks: Uint8Array[]): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
      chunks.push(buffer.slice(0, count));
      await writeAll(to, buffer.subarray(0, count));
    }
  } catch {
    // One of them hung up.
  }
  from.close();
  to.close();
}
