/**
 * Sockets of `node:net` as the peer needs them: opened, read exactly, ended.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import net from "node:net";
import tls from "node:tls";

/** A listening server with its address. */
export interface PeerListener {
  readonly host: string;
  readonly port: number;
  /** Stops listening; sockets that it accepted stay. */
  close(): Promise<void>;
}

/** Listens; sockets come half-open and paused. */
export async function listenOn(host: string, port: number, take: (socket: net.Socket) => void): Promise<PeerListener> {
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: false, noDelay: true }, (socket) => {
    socket.on("error", () => {});
    take(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, resolve);
  });
  const address = server.address() as net.AddressInfo;
  return {
    host: address.address,
    port: address.port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Connects within `ms`. */
export function connectTo(
  to: { readonly host: string; readonly port: number },
  { ms = 5_000, from }: { readonly ms?: number; readonly from?: string | undefined } = {},
): Promise<net.Socket> {
  const localAddress = from === undefined ? {} : { localAddress: from };
  const socket = net.connect({ ...to, ...localAddress, noDelay: true, allowHalfOpen: true });
  return ready(socket, "connect", ms, `connecting to ${to.host}:${to.port}`);
}

/** TLS 1.3 over an open socket, as its client; without `ca` any certificate is taken. */
export function secureAsClient(
  socket: net.Socket,
  { ca, name, ms = 5_000 }: { readonly ca?: string | undefined; readonly name: string; readonly ms?: number },
): Promise<tls.TLSSocket> {
  const trust = ca === undefined ? { rejectUnauthorized: false } : { ca, rejectUnauthorized: true };
  const sni = net.isIP(name) === 0 ? { servername: name } : {};
  const secure = tls.connect({ socket, host: name, ...sni, ...trust, minVersion: "TLSv1.3" });
  return ready(secure, "secureConnect", ms, "the TLS handshake");
}

/** TLS 1.3 over an accepted socket. */
export function secureAsServer(
  socket: net.Socket,
  { certificate, ms = 5_000 }: { readonly certificate: { chainPem: string; keyPem: string }; readonly ms?: number },
): Promise<tls.TLSSocket> {
  const secureContext = tls.createSecureContext({
    cert: certificate.chainPem,
    key: certificate.keyPem,
    minVersion: "TLSv1.3",
  });
  const secure = new tls.TLSSocket(socket, { isServer: true, secureContext });
  return ready(secure, "secure", ms, "the TLS handshake");
}

/** Resolves with the socket at its event, rejects when it fails, closes or takes too long, and destroys it then. */
function ready<S extends net.Socket>(socket: S, event: string, ms: number, what: string): Promise<S> {
  socket.on("error", () => {});
  return new Promise((resolve, reject) => {
    const fail = (why: unknown): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(why instanceof Error ? why : new Error(`Closed while ${what}`));
    };
    const timer = setTimeout(() => fail(new Error(`Waited ${ms} ms for ${what}`)), ms);
    socket.once(event, () => {
      clearTimeout(timer);
      socket.off("error", fail);
      socket.off("close", fail);
      resolve(socket);
    });
    socket.once("error", fail);
    socket.once("close", fail);
  });
}

/** Reads exactly `count` bytes and leaves what follows to the next reader; null when the other end ended before. */
export function readExactly(socket: net.Socket, count: number, ms: number): Promise<Buffer | null> {
  return readWhen(socket, ms, () => socket.read(count) as Buffer | null);
}

/** Everything up to and including `mark` with whatever came along, or up to where `over` says so; null when it ended. */
export async function readThrough(
  socket: net.Socket,
  mark: string,
  { limit, ms, over = () => false }: {
    readonly limit: number;
    readonly ms: number;
    readonly over?: (text: string) => boolean;
  },
): Promise<string | null> {
  let text = "";
  while (!text.includes(mark) && !over(text)) {
    if (text.length > limit) throw new Error(`More than ${limit} bytes without an end`);
    const chunk = await readWhen(socket, ms, () => socket.read() as Buffer | null);
    if (chunk === null) return null;
    text += chunk.toString("latin1");
  }
  return text;
}

/** Everything to the end of the stream. */
export async function readToEnd(socket: net.Socket, ms: number): Promise<string> {
  let text = "";
  for (;;) {
    const chunk = await readWhen(socket, ms, () => socket.read() as Buffer | null);
    if (chunk === null) return text;
    text += chunk.toString("latin1");
  }
}

function readWhen(socket: net.Socket, ms: number, read: () => Buffer | null): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      socket.off("readable", look);
      socket.off("end", ended);
      socket.off("close", ended);
      finish();
    };
    const look = (): void => {
      const bytes = read();
      if (bytes !== null) settle(() => resolve(bytes));
    };
    const ended = (): void => settle(() => resolve(null));
    const timer = setTimeout(() => settle(() => reject(new Error(`Waited ${ms} ms for bytes`))), ms);
    socket.on("readable", look);
    socket.once("end", ended);
    socket.once("close", ended);
    if (socket.readableEnded || socket.destroyed) ended();
    else look();
  });
}

/** Ends a socket once what was written is out, without waiting for the other end. */
export function hangUp(socket: net.Socket): void {
  socket.destroySoon();
}
