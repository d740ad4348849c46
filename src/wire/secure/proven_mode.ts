/**
 * How a client may reach its server, and what it already proved.
 *
 * @module
 */
import type { ServerTls } from "./agreement.ts";

/** What the client's URL says. */
export type TlsPin = "discover" | "derived" | "files";

/** Remembers the mode that worked; kept by the caller for as long as the process lives. */
export class ProvenMode {
  #mode: ServerTls | null = null;

  /** The mode of the last server that proved the key; null before the first. */
  get mode(): ServerTls | null {
    return this.#mode;
  }

  /** The modes to try, in this order. Once TLS was proved, plain is never among them again. */
  candidates(pin: TlsPin): readonly ServerTls[] {
    if (pin !== "discover") return [pin];
    switch (this.#mode) {
      case null:
        return ["derived", "files", "plain"];
      case "plain":
        return ["plain", "derived", "files"];
      case "derived":
        return ["derived", "files"];
      case "files":
        return ["files", "derived"];
    }
  }

  /** Remembers a mode in which the server proved the key; true when it is news. */
  prove(mode: ServerTls): boolean {
    const isNews = mode !== this.#mode;
    this.#mode = mode;
    return isNews;
  }
}
