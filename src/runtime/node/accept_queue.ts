/**
 * Connections that Node announced and nobody accepted yet.
 *
 * @module
 */

/** Node accepts without being asked; what waits here beyond this is closed. */
const capacity = 1024;

/** Turns connection events into `accept` calls. */
export class AcceptQueue<C extends { close(): void }> {
  readonly #connections: C[] = [];
  readonly #waiting: { resolve(conn: C | null): void; reject(error: unknown): void }[] = [];
  #error: unknown = null;
  #closed = false;

  /** Adds a connection, or closes it when there is no room or the queue is closed. */
  push(conn: C): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting.resolve(conn);
    else if (this.#closed || this.#connections.length >= capacity) conn.close();
    else this.#connections.push(conn);
  }

  /** Fails the pending `accept`, or the next one. */
  fail(error: unknown): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting.reject(error);
    else this.#error = error;
  }

  /** The next connection; null once closed and empty. */
  accept(): Promise<C | null> {
    const conn = this.#connections.shift();
    if (conn !== undefined) return Promise.resolve(conn);
    if (this.#closed) return Promise.resolve(null);
    if (this.#error !== null) {
      const error = this.#error;
      this.#error = null;
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Ends pending and later `accept` calls and hands out what nobody accepted: the caller closes or keeps it. */
  close(): C[] {
    this.#closed = true;
    for (const waiting of this.#waiting.splice(0)) waiting.resolve(null);
    return this.#connections.splice(0);
  }
}
