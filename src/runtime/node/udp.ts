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
import { LastAddress } from "../last_address.ts";
import type { BindOptions, Datagram, SocketAddress, TakeDatagram, Udp } from "../types.ts";
import { openOn, socketAddress } from "../wildcard.ts";
import { closedError } from "./pulled_conn.ts";

/** Datagrams that wait for `receive`; newer ones are dropped, as a full kernel buffer would. */
const queueLimit = 1024;
/** What the kernel may hold; it lowers this to its own limit. */
const kernelBufferBytes = 4 * 1024 * 1024;
/** What UDP carries over IPv4; a longer one is for the system to refuse. */
const largestPayload = 65_507;

/** UDP on `node:dgram`. */
export const nodeUdp: Udp = {
  sharesPorts: true,
  async bind(options: BindOptions): Promise<Datagram> {
    try {
      const socket = await openOn(options.host, (host) => open(host, options));
      return new NodeDatagram(socket, options.peer !== undefined && await connect(socket, options.peer));
    } catch (error) {
      throw toNodePassError(error, `Cannot bind UDP ${formatAddress(options)}`);
    }
  },
};

type Lookup = NonNullable<dgram.SocketOptions["lookup"]>;

function open(host: string, { port, shared = false }: BindOptions): Promise<dgram.Socket> {
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
        socket.setRecvBufferSize(kernelBufferBytes);
        socket.setSendBufferSize(kernelBufferBytes);
      } catch {
        // The system's own size serves too.
      }
      resolve(socket);
    });
  });
}

/** A connected socket sends in three quarters of the time; false when the system refuses, as it would each datagram. */
function connect(socket: dgram.Socket, peer: SocketAddress): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (error?: Error): void => resolve(error === undefined);
    socket.connect(peer.port, peer.host, done);
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
  readonly #connected: boolean;
  /** Deno's `node:dgram` does not say whether a datagram is gone. */
  readonly #saysWhatWaits: boolean;
  readonly #sender = new LastAddress();
  readonly #queue: Received[] = [];
  readonly #waiting: { into: Uint8Array; resolve(received: Received): void; reject(error: unknown): void }[] = [];
  #taker: { readonly take: TakeDatagram; readonly reject: (error: unknown) => void } | null = null;
  #held = false;
  #closed = false;

  constructor(socket: dgram.Socket, connected: boolean) {
    this.#socket = socket;
    this.#connected = connected;
    this.#saysWhatWaits = typeof socket.getSendQueueCount === "function";
    const { address, port, family } = socket.address();
    this.local = socketAddress(address, port);
    this.#mapped = family === "IPv6";
    socket.on("message", (message, from) => {
      // A Buffer's own `slice` would not copy.
      const bytes = new Uint8Array(message.buffer, message.byteOffset, message.length);
      this.#onMessage(bytes, this.#sender.of(from.address, from.port));
    });
    // Errors belong to single sends, whose callback gets them.
    socket.on("error", () => {});
  }

  receive(into: Uint8Array): Promise<Received> {
    if (this.#closed) return Promise.reject(closedError());
    const next = this.#queue.shift();
    if (next !== undefined) return Promise.resolve([fill(into, next[0]), next[1]]);
    return new Promise((resolve, reject) => this.#waiting.push({ into, resolve, reject }));
  }

  receiveAll(_room: Uint8Array, take: TakeDatagram): Promise<never> {
    if (this.#closed) return Promise.reject(closedError());
    return new Promise((_, reject) => {
      this.#taker = { take, reject };
      this.#giveQueued();
    });
  }

  send(bytes: Uint8Array, to: SocketAddress): Promise<unknown> | undefined {
    if (this.#closed) return Promise.reject(closedError());
    if (!this.#saysWhatWaits || bytes.length > largestPayload) return this.#sendAndHear(bytes, to);
    if (this.#connected) this.#socket.send(bytes);
    else this.#socket.send(bytes, to.port, this.#hostOf(to));
    // Nearly always the system takes it within the call, and a callback would cost a fifth of the whole.
    return this.#socket.getSendQueueCount() === 0 ? undefined : this.#sent();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
    this.#queue.length = 0;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(closedError());
    this.#endTaker(closedError());
  }

  #onMessage(message: Uint8Array, from: SocketAddress): void {
    if (this.#taker !== null && !this.#held) return this.#give(message, from);
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting.resolve([fill(waiting.into, message), from]);
    else if (this.#queue.length < queueLimit) this.#queue.push([message, from]);
  }

  #give(message: Uint8Array, from: SocketAddress): void {
    try {
      const taken = this.#taker?.take(message, from);
      if (taken === undefined) return;
      this.#held = true;
      taken.then(() => {
        this.#held = false;
        this.#giveQueued();
      }).catch((error) => this.#endTaker(error));
    } catch (error) {
      this.#endTaker(error);
    }
  }

  #giveQueued(): void {
    while (this.#taker !== null && !this.#held && this.#queue.length > 0) this.#give(...this.#queue.shift()!);
  }

  #endTaker(error: unknown): void {
    const taker = this.#taker;
    this.#taker = null;
    this.#held = false;
    taker?.reject(error);
  }

  #hostOf(to: SocketAddress): string {
    return this.#mapped && !to.host.includes(":") ? `::ffff:${to.host}` : to.host;
  }

  #sendAndHear(bytes: Uint8Array, to: SocketAddress): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | null) => error ? reject(error) : resolve();
      if (this.#connected) this.#socket.send(bytes, done);
      else this.#socket.send(bytes, to.port, this.#hostOf(to), done);
    });
  }

  /** Resolves when nothing waits in the socket: there is no event for it. */
  async #sent(): Promise<void> {
    while (!this.#closed && this.#socket.getSendQueueCount() > 0) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

/** Copies what fits, as the system call does. */
function fill(into: Uint8Array, message: Uint8Array): Uint8Array {
  const part = message.length > into.length ? message.subarray(0, into.length) : message;
  into.set(part);
  return into.subarray(0, part.length);
}
