/**
 * A raw link on a connection in memory, and everything that it tells its owner.
 *
 * @module
 */
import type { NodePassError } from "../../../../src/errors.ts";
import { RawLink } from "../../../../src/wire/nodepass_1_14/raw_link.ts";
import type { Signal } from "../../../../src/wire/nodepass_1_14/signals.ts";
import type { AbortReason, DatagramReceiver, Opening, SessionReceiver } from "../../../../src/wire/types.ts";
import { FakeClock } from "../../../fake_clock.ts";
import { type MemoryConn, memoryPair } from "../../../memory_conn.ts";

/** A visitor. */
export function opening(protocol: "tcp" | "udp"): Opening {
  return { protocol, visitor: { host: "10.0.0.1", port: 5 } };
}

/** Bytes of a text. */
export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** One turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** See the module. */
export class LinkSetup {
  readonly clock: FakeClock = new FakeClock();
  readonly announced: Signal[] = [];
  readonly closed: NodePassError[] = [];
  released = 0;
  dropped = 0;
  readonly conn: MemoryConn;
  readonly peer: MemoryConn;
  readonly link: RawLink;

  constructor(end: "ingress" | "egress", maxBufferBytes: number = 64 * 1024) {
    [this.conn, this.peer] = memoryPair();
    this.link = new RawLink({
      conn: this.conn,
      id: "01020304",
      end,
      maxBufferBytes,
      clock: this.clock,
      events: {
        announce: (signal) => this.announced.push(signal),
        released: () => this.released++,
        dropped: () => this.dropped++,
        closed: (_, error) => this.closed.push(error),
      },
    });
  }
}

/** A local socket that keeps what it gets. */
export class Receiver implements SessionReceiver {
  readonly chunks: Uint8Array[] = [];
  ended = false;
  aborted: AbortReason | null = null;
  /** Awaited by each `data`. */
  gate: Promise<void> = Promise.resolve();

  get text(): string {
    return this.chunks.map((chunk) => new TextDecoder().decode(chunk)).join("");
  }

  async data(chunk: Uint8Array): Promise<void> {
    await this.gate;
    this.chunks.push(chunk.slice());
  }

  end(): Promise<void> {
    this.ended = true;
    return Promise.resolve();
  }

  abort(reason: AbortReason): void {
    this.aborted = reason;
  }
}

/** A local UDP socket that keeps what it gets. */
export class Datagrams implements DatagramReceiver {
  readonly received: Uint8Array[] = [];
  isClosed = 0;

  data(bytes: Uint8Array): void {
    this.received.push(bytes.slice());
  }

  closed(): void {
    this.isClosed++;
  }
}
