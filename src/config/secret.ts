/**
 * Values that must not be printed.
 *
 * @module
 */

/** Shown wherever a secret would have been. */
const redacted = "[redacted]";

/**
 * Holds a key or password: converting it to text, JSON or an inspection gives `[redacted]`.
 *
 * @example
 * ```ts
 * import { Secret } from "nodepass";
 *
 * const secret = new Secret("hunter2");
 * console.log(`${secret}`); // "[redacted]"
 * console.log(secret.reveal()); // "hunter2"
 * ```
 */
export class Secret {
  readonly #value: string;

  /**
   * Guards a text.
   *
   * @param value the text to guard
   */
  constructor(value: string) {
    this.#value = value;
  }

  /** The text itself. */
  reveal(): string {
    return this.#value;
  }

  /** `[redacted]` */
  toString(): string {
    return redacted;
  }

  /** `[redacted]` */
  toJSON(): string {
    return redacted;
  }
}

// Added here because isolated declarations allow no computed method names; both runtimes' consoles look for it.
Object.defineProperty(Secret.prototype, Symbol.for("nodejs.util.inspect.custom"), { value: (): string => redacted });
