/**
 * The file of trust roots that a client adds to those of the system.
 *
 * @module
 */
import type { ClientConfig } from "../config/types.ts";
import type { TunnelContext } from "./context.ts";

/** See the module. */
export class ExtraRoots {
  readonly #context: TunnelContext<ClientConfig>;
  #pem: string | null = null;

  constructor(context: TunnelContext<ClientConfig>) {
    this.#context = context;
  }

  /**
   * The file's text as it was read last; null without one.
   *
   * @throws the file cannot be read
   */
  async pem(): Promise<string | null> {
    if (this.#pem === null) await this.reload();
    return this.#pem;
  }

  /**
   * Reads the file again; true when it has other roots than before.
   *
   * @throws the file cannot be read: the roots before it stay
   */
  async reload(): Promise<boolean> {
    const { config: { extraCa }, runtime } = this.#context;
    if (extraCa === null) return false;
    const before = this.#pem;
    this.#pem = await runtime.files.readText(extraCa);
    return this.#pem !== before;
  }
}
