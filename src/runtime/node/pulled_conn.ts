/**
 * What every connection does whose bytes arrive by events and are asked for by `read`.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import type { Conn, SocketAddress } from "../types.ts";

interface PendingRead {
  readonly into: Uint8Array;
  readonly resolve: (count: number | null) => void;
  readonly reject: (error: unknown) => void;
}

/** One pending read, the writes under way, and the end of both. */
export abstract class PulledConn implements Conn {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  /** How to reject the writes under way: each is taken out when it is done. */
  protected readonly writes: Set<(error: unknown) => void> = new Set();
  #reading: PendingRead | null = null;
  #remoteEnded = false;
  #closed = false;
  #error: unknown = null;

  constructor(local: SocketAddress, remote: SocketAddress) {
    this.local = local;
    this.remote = remote;
  }

  read(into: Uint8Array): Promise<number | null> {
    if (this.#reading !== null) {
      return Promise.reject(new NodePassError("usage", "Cannot read: another read is pending"));
    }
    if (this.#closed) return Promise.reject(closedError());
    const count = this.take(into);
    if (count > 0) return Promise.resolve(count);
    if (this.#remoteEnded) return Promise.resolve(null);
    if (this.#error !== null) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => {
      this.#reading = { into, resolve, reject };
    });
  }

  abstract write(bytes: Uint8Array): Promise<number>;
  abstract closeWrite(): Promise<void>;
  abstract close(): void;
  abstract reset(): void;

  /** Moves bytes that are there into `into`: their number, 0 when none are. */
  protected abstract take(into: Uint8Array): number;

  protected get closed(): boolean {
    return this.#closed;
  }

  protected get remoteEnded(): boolean {
    return this.#remoteEnded;
  }

  /** What broke the connection first; null while nothing did. */
  protected get error(): unknown {
    return this.#error;
  }

  /** Why nothing can be written any more; null while it can. */
  protected get refusal(): unknown {
    return this.#closed ? closedError() : this.#error;
  }

  /** Bytes may be there: serves the pending read. */
  protected arrived(): void {
    const pending = this.#reading;
    if (pending === null) return;
    const count = this.take(pending.into);
    if (count === 0) return;
    this.#reading = null;
    pending.resolve(count);
  }

  /** Nothing more will arrive. */
  protected ended(): void {
    this.#remoteEnded = true;
    const pending = this.#reading;
    this.#reading = null;
    pending?.resolve(null);
  }

  /** The connection broke. */
  protected failed(error: unknown): void {
    this.#error ??= error;
    this.#rejectPending(this.#error);
  }

  /** Ends all calls that are pending, and refuses later ones; false when that was done before. */
  protected shut(): boolean {
    if (this.#closed) return false;
    this.#closed = true;
    // An error collects the stack: most connections are closed with nothing pending.
    if (this.#reading !== null || this.writes.size > 0) this.#rejectPending(closedError());
    return true;
  }

  #rejectPending(error: unknown): void {
    const pending = this.#reading;
    this.#reading = null;
    pending?.reject(error);
    for (const reject of this.writes) reject(error);
    this.writes.clear();
  }
}

/** What pending and later calls of a closed connection get. */
export function closedError(): NodePassError {
  return new NodePassError("closed", "The connection was closed");
}
