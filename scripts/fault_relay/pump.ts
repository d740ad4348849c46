/**
 * One direction of a relayed connection.
 *
 * @module
 */
import { writeAll } from "../../src/relay/write_all.ts";
import type { Conn } from "../../src/runtime/types.ts";
import { corrupt, type Faults } from "./faults.ts";
import type { Waiter } from "./waiter.ts";

const READ_BYTES = 64 * 1024;
/** Bytes on their way (`latencyMs`) before reading stops. */
const QUEUE_BYTES = 4 << 20;
/** A limited bandwidth is paid in steps of this length. */
const PACE_MS = 20;

/** Something that travels: bytes, or how the stream ended. */
interface Item {
  readonly readAt: number;
  readonly what: Uint8Array | "end" | "broken";
}

/** Why a pump stopped. */
export type PumpEnd = "end" | "broken" | "limit" | "stopped";

/** Moves bytes from `source` to `sink` under faults that may change at any time. */
export class Pump {
  readonly #source: Conn;
  readonly #sink: Conn;
  readonly #waiter: Waiter;
  readonly #queue: Item[] = [];
  #faults: Faults;
  #reading: Promise<void> = Promise.resolve();
  #queued = 0;
  #bytes = 0;

  constructor(source: Conn, sink: Conn, faults: Faults, waiter: Waiter) {
    this.#source = source;
    this.#sink = sink;
    this.#faults = faults;
    this.#waiter = waiter;
  }

  /** Bytes that were passed on. */
  get bytes(): number {
    return this.#bytes;
  }

  set(faults: Faults): void {
    this.#faults = faults;
    this.#waiter.wake();
  }

  /** Runs until the direction ended; never rejects. */
  async run(): Promise<PumpEnd> {
    this.#reading = this.#read();
    const end = await this.#write();
    this.#waiter.end();
    return end;
  }

  /** Resolves when no read is pending any more: soon after the source was closed. */
  settled(): Promise<void> {
    return this.#reading;
  }

  /** Ends the sending side now and reads no more. */
  async halfClose(): Promise<void> {
    this.#waiter.end();
    await this.#sink.closeWrite().catch(() => {});
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    while (!this.#waiter.ended) {
      if (this.#faults.blackHole || this.#queued >= QUEUE_BYTES) {
        await this.#waiter.change();
        continue;
      }
      const what = await this.#source.read(buffer).then(
        (count): Item["what"] => count === null ? "end" : buffer.slice(0, count),
        (): Item["what"] => "broken",
      );
      this.#queue.push({ readAt: this.#waiter.now(), what });
      if (typeof what !== "string") this.#queued += what.length;
      this.#waiter.wake();
      if (typeof what === "string") return;
    }
  }

  async #write(): Promise<PumpEnd> {
    while (!this.#waiter.ended) {
      const item = this.#queue.shift();
      if (item === undefined) {
        await this.#waiter.change();
        continue;
      }
      await this.#waiter.sleep(item.readAt + this.#faults.latencyMs - this.#waiter.now());
      await this.#untilOpen();
      if (this.#waiter.ended) break;
      const end = await this.#pass(item.what).catch((): PumpEnd => "broken");
      if (end !== null) return end;
    }
    return "stopped";
  }

  /** Null while the stream goes on. */
  async #pass(what: Item["what"]): Promise<PumpEnd | null> {
    if (what === "broken") return "broken";
    if (what === "end") {
      await this.#sink.closeWrite();
      return "end";
    }
    this.#queued -= what.length;
    this.#waiter.wake();
    for (let done = 0; done < what.length && !this.#waiter.ended;) {
      const part = what.subarray(done, done + this.#stepBytes(what.length - done));
      if (part.length === 0) return "limit";
      corrupt(part, this.#bytes, this.#faults);
      await writeAll(this.#sink, part);
      this.#bytes += part.length;
      done += part.length;
      const { bytesPerSecond } = this.#faults;
      if (bytesPerSecond > 0) await this.#waiter.sleep(part.length * 1000 / bytesPerSecond);
      await this.#untilOpen();
    }
    return this.#left() <= 0 ? "limit" : null;
  }

  /** Bytes of the next write. */
  #stepBytes(available: number): number {
    const { sliceBytes, bytesPerSecond } = this.#faults;
    let bytes = Math.min(available, this.#left());
    if (sliceBytes > 0) bytes = Math.min(bytes, sliceBytes);
    if (bytesPerSecond > 0) bytes = Math.min(bytes, Math.max(1, Math.floor(bytesPerSecond * PACE_MS / 1000)));
    return Math.max(0, bytes);
  }

  #left(): number {
    return (this.#faults.limitBytes ?? Infinity) - this.#bytes;
  }

  async #untilOpen(): Promise<void> {
    while (this.#faults.blackHole && !this.#waiter.ended) await this.#waiter.change();
  }
}
