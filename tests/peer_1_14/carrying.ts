/**
 * One session of the peer: a link and a socket, until both ended.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type dgram from "node:dgram";
import type net from "node:net";
import type { PeerSource } from "./entry.ts";
import { hangUp } from "./sockets.ts";

/**
 * Carries bytes both ways. Without TLS an end on one side becomes a half-close on the other; inside TLS the link is
 * closed at the first end, as the Go program does it.
 */
export function carryStream(link: net.Socket, local: net.Socket, secure: boolean): Promise<void> {
  link.pipe(local);
  if (secure) {
    local.pipe(link, { end: false });
    local.once("end", () => hangUp(link));
  } else {
    local.pipe(link);
  }
  const closed = (socket: net.Socket, other: net.Socket): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        // What it received is written before it goes.
        hangUp(other);
        resolve();
      };
      if (socket.destroyed) done();
      else socket.once("close", done);
    });
  return Promise.all([closed(link, local), closed(local, link)]).then(() => {});
}

/** Each chunk of the link is one datagram. */
export function carrySource(link: net.Socket, source: PeerSource): Promise<void> {
  source.onDatagram((bytes) => void (link.writable && link.write(bytes)));
  link.on("data", (bytes: Buffer) => source.answer(bytes));
  return new Promise((resolve) => {
    link.once("end", () => hangUp(link));
    link.once("close", () => {
      source.close();
      resolve();
    });
  });
}

/** The same at the end that dials. */
export function carryDatagrams(link: net.Socket, target: dgram.Socket): Promise<void> {
  target.on("message", (bytes) => void (link.writable && link.write(bytes)));
  link.on("data", (bytes: Buffer) => target.send(bytes));
  return new Promise((resolve) => {
    link.once("end", () => hangUp(link));
    link.once("close", () => {
      target.close();
      resolve();
    });
  });
}
