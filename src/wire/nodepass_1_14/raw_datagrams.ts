/**
 * One UDP visitor on a link: each datagram is one write, each read one datagram. Nothing marks where one ends, so the
 * network may join or split them.
 *
 * @module
 */
import type { DatagramReceiver, Opening, WireDatagrams } from "../types.ts";
import type { RawLink } from "./raw_link.ts";

/** The largest payload of a UDP datagram over IPv4. */
const MAX_PAYLOAD_BYTES = 65_507;
/** What may wait for the write in flight; more is dropped. */
const MAX_WAITING = 1_024;
const MAX_WAITING_BYTES = 512 * 1024;
/** How long the rest of a datagram that filled the first buffer is waited for. */
const REST_MS = 20;

/** See the module. */
export class RawDatagrams implements WireDatagrams {
  readonly opening: Opening;
  readonly #link: RawLink;
  readonly #dropped: () => void;
  #receiver: DatagramReceiver | null = null;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #writing = false;
  #open = true;

  constructor(link: RawLink, opening: Opening, dropped: () => void) {
    this.#link = link;
    this.opening = opening;
    this.#dropped = dropped;
  }

  /** Who takes the datagrams. */
  attach(receiver: DatagramReceiver): void {
    this.#receiver = receiver;
    if (this.#open) void this.#receive(receiver);
    else receiver.closed();
  }

  send(bytes: Uint8Array): void {
    if (!this.#open || bytes.length === 0) return;
    if (this.#waiting.length >= MAX_WAITING || this.#waitingBytes + bytes.length > MAX_WAITING_BYTES) {
      return this.#dropped();
    }
    this.#waiting.push(bytes.slice());
    this.#waitingBytes += bytes.length;
    if (!this.#writing) void this.#write();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#waiting.length = 0;
    this.#link.done();
  }

  /** The link is over, and the session with it. */
  fail(): void {
    if (!this.#open) return;
    this.close();
    this.#receiver?.closed();
  }

  async #write(): Promise<void> {
    this.#writing = true;
    try {
      for (let bytes = this.#waiting.shift(); bytes !== undefined; bytes = this.#waiting.shift()) {
        this.#waitingBytes -= bytes.length;
        let done = 0;
        while (done < bytes.length) done += await this.#link.conn.write(done === 0 ? bytes : bytes.subarray(done));
      }
    } catch {
      this.fail();
    }
    this.#writing = false;
  }

  async #receive(receiver: DatagramReceiver): Promise<void> {
    const { conn, first } = this.#link;
    const room = new Uint8Array(MAX_PAYLOAD_BYTES);
    try {
      let count = await first.count;
      if (count === first.buffer.length) count = await this.#first(receiver, room);
      else if (count !== null) room.set(first.buffer.subarray(0, count));
      while (count !== null && this.#open) {
        const taken = count === 0 ? undefined : receiver.data(room.subarray(0, count));
        if (taken !== undefined) await taken;
        count = await conn.read(room);
      }
    } catch {
      // The link is over either way.
    }
    this.fail();
  }

  /** The first buffer is smaller than datagrams may be: puts what filled it into `room`, with the rest when there is one. */
  async #first(receiver: DatagramReceiver, room: Uint8Array): Promise<number | null> {
    const { conn, clock, first: { buffer } } = this.#link;
    room.set(buffer);
    const rest = conn.read(room.subarray(buffer.length));
    const { promise: late, resolve } = Promise.withResolvers<"late">();
    const timer = clock.after(REST_MS, () => resolve("late"));
    const found = await Promise.race([rest, late]).finally(() => timer.cancel());
    if (found !== "late") return found === null ? buffer.length : buffer.length + found;
    await receiver.data(buffer);
    const count = await rest;
    if (count === null) return null;
    room.copyWithin(0, buffer.length, buffer.length + count);
    return count;
  }
}
