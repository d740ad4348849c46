/**
 * UDP visitors: each needs a link of its own, and its first datagrams wait for one.
 *
 * @module
 */
import { messageOf } from "../../errors.ts";
import type { RawLink } from "../../wire/nodepass_1_14/raw_link.ts";
import type { DatagramReceiver, Opening, WireDatagrams } from "../../wire/types.ts";
import type { TunnelContext } from "../context.ts";
import type { Matchmaker } from "../pool/matchmaker.ts";

/** Datagrams that one visitor may have waiting. */
const MAX_WAITING = 64;
const MAX_WAITING_BYTES = 256 * 1024;
/** All visitors together. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Announces UDP visitors, one link each. */
export class DatagramLinks {
  readonly #context: TunnelContext;
  readonly #matchmaker: Pick<Matchmaker<RawLink>, "take">;
  /** Bytes that wait, of all visitors. */
  #waitingBytes = 0;

  constructor(context: TunnelContext, matchmaker: Pick<Matchmaker<RawLink>, "take">) {
    this.#context = context;
    this.#matchmaker = matchmaker;
  }

  /** For `Ingress`. A link may come in time, or never. */
  open(opening: Opening, receiver: DatagramReceiver): WireDatagrams {
    const found = this.#matchmaker.take();
    if (!(found instanceof Promise)) return found.openDatagrams(opening, receiver);
    const waiting = new WaitingDatagrams(opening, (bytes) => this.#reserve(bytes));
    found.then((link) => waiting.place(link, receiver)).catch((error) => this.#failed(waiting, receiver, error));
    return waiting;
  }

  #failed(waiting: WaitingDatagrams, receiver: DatagramReceiver, error: unknown): void {
    if (waiting.closed) return;
    this.#context.ledger.reject("no_link");
    this.#context.logger.debug("Cannot serve UDP visitor", { reason: messageOf(error) });
    waiting.close();
    receiver.closed();
  }

  /** Takes room for so many bytes, or gives it back when negative; false when there is none. */
  #reserve(bytes: number): boolean {
    if (this.#waitingBytes + bytes > MAX_BYTES) {
      this.#context.ledger.reject("overflow");
      return false;
    }
    this.#waitingBytes += bytes;
    return true;
  }
}

/** One visitor before and after its link came. */
class WaitingDatagrams implements WireDatagrams {
  readonly opening: Opening;
  readonly #reserve: (bytes: number) => boolean;
  #waiting: Uint8Array[] = [];
  #bytes = 0;
  #wire: WireDatagrams | null = null;
  #closed = false;

  constructor(opening: Opening, reserve: (bytes: number) => boolean) {
    this.opening = opening;
    this.#reserve = reserve;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** A link came. */
  place(link: RawLink, receiver: DatagramReceiver): void {
    if (this.#closed) return link.release();
    const wire = this.#wire = link.openDatagrams(this.opening, receiver);
    for (const bytes of this.#waiting) wire.send(bytes);
    this.#forget();
  }

  send(bytes: Uint8Array): void {
    if (this.#wire !== null) return this.#wire.send(bytes);
    if (this.#closed) return;
    const full = this.#waiting.length >= MAX_WAITING || this.#bytes + bytes.length > MAX_WAITING_BYTES;
    if (!this.#reserve(full ? Infinity : bytes.length)) return;
    this.#bytes += bytes.length;
    this.#waiting.push(bytes.slice());
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forget();
    this.#wire?.close();
  }

  #forget(): void {
    this.#reserve(-this.#bytes);
    this.#bytes = 0;
    this.#waiting = [];
  }
}
