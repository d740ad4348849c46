/**
 * UDP on `node:dgram`.
 *
 * @module
 */
import dgram from "node:dgram";
import { lookup } from "node:dns";
import { isIP } from "node:net";
import { formatAddress } from "../../address/ip.ts";
import { toNodePassError } from "../error_map.ts";
import type { Datagram, ListenOptions, SocketAddress, Udp } from "../types.ts";
import { openOn, socketAddress } from "../wildcard.ts";
import { closedError } from "./pulled_conn.ts";

/** Datagrams that wait for `receive`; newer ones are dropped, as a full kernel buffer would. */
const queueLimit = 1024;
/** What the kernel may hold; it lowers this to its own limit. */
const receiveBufferBytes = 4 * 1024 * 1024;

/** UDP on `node:dgram`. */
export const nodeUdp: Udp = {
  sharesPorts: true,
  async bind(options: ListenOptions): Promise<Datagram> {
    try {
      return new NodeDatagram(await openOn(options.host, (host) => open(host, options)));
    } catch (error) {
      throw toNodePassError(error, `Cannot bind UDP ${formatAddress(options)}`);
    }
  },
};

type Lookup = NonNullable<dgram.SocketOptions["lookup"]>;

function open(host: string, { port, shared = false }: ListenOptions): Promise<dgram.Socket> {
  return new Promise((resolve, reject) => {
    const type = host.includes(":") ? "udp6" : "udp4";
    const socket = dgram.createSocket({
      type,
      lookup: resolveAtOnce as unknown as Lookup,
      ...(shared ? { reusePort: true } : {}),
    });
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ port, address: host }, () => {
      socket.removeAllListeners("error");
      try {
        socket.setRecvBufferSize(receiveBufferBytes);
      } catch {
        // The system's own size serves too.
      }
      resolve(socket);
    });
  });
}

/** Node resolves even a literal IP for each datagram, a tick later: this answers literals on the spot. */
function resolveAtOnce(
  name: string,
  family: number,
  done: (error: Error | null, address: string, family: number) => void,
): void {
  const version = isIP(name);
  if (version !== 0) done(null, version === 4 && family === 6 ? `::ffff:${name}` : name, family);
  else lookup(name, { family }, done);
}

type Received = [bytes: Uint8Array, from: SocketAddress];

class NodeDatagram implements Datagram {
  readonly local: SocketAddress;
  readonly #socket: dgram.Socket;
  readonly #mapped: boolean;
  readonly #queue: Received[] = [];
  readonly #waiting: { into: Uint8Array; resolve(received: Received): void; reject(error: unknown): void }[] = [];
  #closed = false;

  constructor(socket: dgram.Socket) {
    this.#socket = socket;
    const { address, port, family } = socket.address();
    this.local = socketAddress(address, port);
    this.#mapped = family === "IPv6";
    socket.on("message", (message, from) => this.#onMessage(message, socketAddress(from.address, from.port)));
    // Errors belong to single sends, whose callback gets them.
    socket.on("error", () => {});
  }

  receive(into: Uint8Array): Promise<Received> {
    if (this.#closed) return Promise.reject(closedError());
    const next = this.#queue.shift();
    if (next !== undefined) return Promise.resolve([fill(into, next[0]), next[1]]);
    return new Promise((resolve, reject) => this.#waiting.push({ into, resolve, reject }));
  }

  send(bytes: Uint8Array, to: SocketAddress): Promise<void> {
    if (this.#closed) return Promise.reject(closedError());
    const host = this.#mapped && !to.host.includes(":") ? `::ffff:${to.host}` : to.host;
    return new Promise((resolve, reject) => {
      this.#socket.send(bytes, 0, bytes.length, to.port, host, (error) => error ? reject(error) : resolve());
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
    this.#queue.length = 0;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(closedError());
  }

  #onMessage(message: Uint8Array, from: SocketAddress): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting.resolve([fill(waiting.into, message), from]);
    else if (this.#queue.length < queueLimit) this.#queue.push([message, from]);
  }
}

/** Copies what fits, as the system call does. */
function fill(into: Uint8Array, message: Uint8Array): Uint8Array {
  const part = message.length > into.length ? message.subarray(0, into.length) : message;
  into.set(part);
  return into.subarray(0, part.length);
}
