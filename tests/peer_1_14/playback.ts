/**
 * Recorded bytes, sent again in other pieces, and what comes back collected.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type net from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Bell } from "./bell.ts";

/** How recorded bytes are cut: as they came, byte by byte, or everything in one piece. */
export type Cut = "recorded" | "bytewise" | "joined";

/** One connection on which one side of a recording is played. */
export class Player {
  readonly #socket: net.Socket;
  readonly #bell = new Bell();
  #heard: Buffer = Buffer.alloc(0);
  #ended = false;

  constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => {
      this.#heard = Buffer.concat([this.#heard, bytes]);
      this.#bell.ring();
    });
    const ended = (): void => {
      this.#ended = true;
      this.#bell.ring();
    };
    socket.on("end", ended);
    socket.on("close", ended);
  }

  /** All that came. */
  get heard(): Buffer {
    return this.#heard;
  }

  /** The same as text. */
  get text(): string {
    return this.#heard.toString("latin1");
  }

  /** What came, as text, once it fits. */
  async hear(what: string, fits: (heard: string) => boolean, ms = 8_000): Promise<string> {
    await this.#bell.until(() => fits(this.text) || this.#ended || null, ms);
    if (fits(this.text)) return this.text;
    const end = this.#ended ? "before the end" : `within ${ms} ms`;
    throw new Error(`${what} did not come ${end}, only ${JSON.stringify(this.text)}`);
  }

  /** All that came when the other end has ended. */
  async toEnd(ms = 8_000): Promise<string> {
    if (await this.#bell.until(() => this.#ended || null, ms) === null) throw new Error(`No end within ${ms} ms`);
    return this.text;
  }

  /** Sends chunks, cut in this way; a pause after each piece keeps them apart. */
  async say(chunks: readonly Uint8Array[], cut: Cut): Promise<void> {
    const all = Buffer.concat(chunks);
    const pieces = cut === "recorded" ? chunks : cut === "joined" ? [all] : Array.from(all, (byte) => Buffer.of(byte));
    for (const piece of pieces) {
      if (this.#socket.destroyed) return;
      this.#socket.write(piece);
      await delay(0);
    }
  }

  /** Ends this side. */
  end(): void {
    this.#socket.end();
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
