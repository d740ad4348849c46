/**
 * Bodies that were asked for lately, up to a number of bytes.
 *
 * @module
 */
import type { ConfigBody, PreparedBody } from "./body.ts";

const BODIES_BYTES = 128 * 1024 * 1024;
const PREPARED_BYTES = 32 * 1024 * 1024;

/** What is kept, the one that was used longest ago at the front. */
class Recent<K, V> {
  readonly #kept = new Map<K, V>();
  readonly #limit: number;
  readonly #size: (value: V) => number;
  #bytes = 0;

  constructor(limit: number, size: (value: V) => number) {
    this.#limit = limit;
    this.#size = size;
  }

  get(key: K): V | undefined {
    const value = this.#kept.get(key);
    if (value === undefined) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, value);
    return value;
  }

  set(key: K, value: V): void {
    this.delete(key);
    this.#kept.set(key, value);
    this.#bytes += this.#size(value);
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#limit) return;
      this.delete(oldest);
    }
  }

  delete(key: K): void {
    const value = this.#kept.get(key);
    if (value === undefined) return;
    this.#kept.delete(key);
    this.#bytes -= this.#size(value);
  }
}

/** Bodies by node, and what nodes with equal assignments share by its hash. */
export class BodyCache {
  readonly #bodies = new Recent<number, ConfigBody>(BODIES_BYTES, ({ bytes }) => bytes);
  readonly #prepared = new Recent<string, PreparedBody>(PREPARED_BYTES, ({ bytes }) => bytes.length);

  /** The body of a node under this number. */
  body(nodeId: number, revision: number): ConfigBody | null {
    const body = this.#bodies.get(nodeId);
    return body?.revision === revision ? body : null;
  }

  keep(nodeId: number, body: ConfigBody): void {
    this.#bodies.set(nodeId, body);
  }

  /** The one that is known already under this hash, so that it is compressed once. */
  shared(body: PreparedBody): PreparedBody {
    const known = this.#prepared.get(body.hash);
    if (known !== undefined) return known;
    this.#prepared.set(body.hash, body);
    return body;
  }

  forget(nodeId: number): void {
    this.#bodies.delete(nodeId);
  }
}
