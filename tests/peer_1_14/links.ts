/**
 * Idle links of the peer by their ids.
 *
 * @module
 */
import type net from "node:net";
import { Bell } from "./bell.ts";

/** A link with its id. */
export interface PeerLink {
  readonly id: string;
  readonly socket: net.Socket;
  /** Fulfilled once its id was written. */
  readonly named?: Promise<void>;
}

/** See the module. */
export class PeerLinks {
  readonly #idle = new Map<string, PeerLink>();
  readonly #bell = new Bell();
  readonly #watched = new Map<net.Socket, () => void>();
  #closed = false;

  /** Idle links. */
  get size(): number {
    return this.#idle.size;
  }

  /** A link that just got its id. */
  add(link: PeerLink): void {
    const { id, socket } = link;
    if (this.#closed) return void socket.destroy();
    const gone = (): void => {
      if (this.#idle.get(id) === link) this.#idle.delete(id);
    };
    // Reading nothing notices an end.
    const look = (): void => {
      if (socket.readableLength === 0) socket.read(0);
    };
    socket.on("readable", look);
    socket.once("end", () => {
      if (this.#idle.get(id) === link) socket.destroy();
    });
    socket.once("close", gone);
    this.#watched.set(socket, look);
    this.#idle.set(id, link);
    this.#bell.ring();
  }

  /** The link of this id, or any; null when none came within `ms`. */
  async take(id: string | null, ms = 5_000): Promise<PeerLink | null> {
    const look = (): PeerLink | "closed" | undefined => {
      if (this.#closed) return "closed";
      const link = id === null ? this.#idle.values().next().value : this.#idle.get(id);
      // Taken at once: others look for one at the same time.
      return link && this.#release(link);
    };
    const found = await this.#bell.until(look, ms);
    return found === "closed" ? null : found;
  }

  /** Drops all idle links. */
  flush(): void {
    for (const link of [...this.#idle.values()]) this.#release(link).socket.destroy();
  }

  /** Drops them, and those that come later. */
  close(): void {
    this.#closed = true;
    this.flush();
    this.#bell.ring();
  }

  #release(link: PeerLink): PeerLink {
    this.#idle.delete(link.id);
    link.socket.off("readable", this.#watched.get(link.socket)!);
    this.#watched.delete(link.socket);
    return link;
  }
}
