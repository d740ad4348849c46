/**
 * Where visitors of the peer arrive: TCP and UDP on one port.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import dgram from "node:dgram";
import type net from "node:net";
import { listenOn, type PeerListener } from "./sockets.ts";

/** Datagrams of one source. */
export interface PeerSource {
  /** `host:port` of the visitor. */
  readonly remote: string;
  /** What it sends from now on; datagrams that waited come at once. */
  onDatagram(take: (bytes: Buffer) => void): void;
  /** Sends it one. */
  answer(bytes: Uint8Array): void;
  /** Forgets it. */
  close(): void;
}

/** Who is told about visitors. */
export interface EntryEvents {
  tcp(visitor: net.Socket): void;
  udp(source: PeerSource): void;
}

/** An open entry. */
export interface PeerEntry {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Opens an entry on a free port, or a given one. */
export async function openEntry(events: EntryEvents, port = 0): Promise<PeerEntry> {
  for (let attempts = 0;; attempts++) {
    const visitors = new Set<net.Socket>();
    const listener = await listenOn("127.0.0.1", port, (visitor) => {
      visitors.add(visitor);
      visitor.once("close", () => visitors.delete(visitor));
      events.tcp(visitor);
    });
    const socket = await bind(listener).catch((error) => {
      if (attempts === 10) throw error;
      return null;
    });
    if (socket === null) {
      await listener.close();
      continue;
    }
    answerSources(socket, events);
    return {
      host: listener.host,
      port: listener.port,
      async close() {
        for (const visitor of visitors) visitor.destroy();
        await Promise.all([listener.close(), new Promise<void>((resolve) => socket.close(() => resolve()))]);
      },
    };
  }
}

function bind({ host, port }: PeerListener): Promise<dgram.Socket> {
  const socket = dgram.createSocket("udp4");
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ address: host, port }, () => {
      socket.off("error", reject);
      socket.on("error", () => {});
      resolve(socket);
    });
  });
}

function answerSources(socket: dgram.Socket, events: EntryEvents): void {
  const sources = new Map<string, (bytes: Buffer) => void>();
  socket.on("message", (bytes, from) => {
    const remote = `${from.address}:${from.port}`;
    const known = sources.get(remote);
    if (known !== undefined) return known(bytes);
    let early: Buffer[] | null = [bytes];
    sources.set(remote, (more) => void early?.push(more));
    events.udp({
      remote,
      onDatagram(take) {
        for (const waiting of early ?? []) take(waiting);
        early = null;
        sources.set(remote, take);
      },
      answer: (answer) => socket.send(answer, from.port, from.address),
      close: () => void sources.delete(remote),
    });
  });
}

/** A socket that sends to one target alone. */
export function dialDatagrams(to: { readonly host: string; readonly port: number }): Promise<dgram.Socket> {
  const socket = dgram.createSocket("udp4");
  socket.on("error", () => {});
  return new Promise((resolve) => socket.connect(to.port, to.host, () => resolve(socket)));
}
