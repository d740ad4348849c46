/**
 * Sockets on their way in: accepted, but without a complete upgrade.
 *
 * @module
 */
import type net from "node:net";
import { sourceKey } from "../../address/ip.ts";
import { remoteAddress } from "./sockets.ts";

/** How many may be on their way at a time. */
const limit = 256;

/** When full, the oldest socket of the source that has most of them goes. */
export class EnteringSockets {
  readonly #sources = new Map<string, Set<net.Socket>>();
  #count = 0;

  add(socket: net.Socket): void {
    if (this.#count >= limit) this.#evict();
    const source = sourceKey(remoteAddress(socket).host);
    const sockets = this.#sources.get(source) ?? new Set();
    this.#sources.set(source, sockets.add(socket));
    this.#count++;
    const leave = (): void => {
      if (!sockets.delete(socket)) return;
      this.#count--;
      if (sockets.size === 0) this.#sources.delete(source);
    };
    socket.once("close", leave);
    socket.once(entered, leave);
  }

  /** Destroys all of them. */
  destroy(): void {
    for (const sockets of this.#sources.values()) {
      for (const socket of sockets) socket.destroy();
    }
  }

  #evict(): void {
    let heaviest: Set<net.Socket> = new Set();
    for (const sockets of this.#sources.values()) {
      if (sockets.size > heaviest.size) heaviest = sockets;
    }
    const [oldest] = heaviest;
    if (oldest === undefined) return;
    // Its place is free at once; `close` comes later.
    oldest.emit(entered);
    oldest.destroy();
  }
}

/** The event by which a socket leaves this state without being closed. */
export const entered = "nodepass:entered";
