/**
 * Datagram links over connections in memory.
 *
 * @module
 */
import type { NodePassError } from "../../../src/errors.ts";
import { DatagramLink } from "../../../src/wire/secure/datagram_link.ts";
import { writeFrameHeader } from "../../../src/wire/secure/frames.ts";
import type { DatagramReceiver, WireDatagrams } from "../../../src/wire/types.ts";
import { FakeClock } from "../../fake_clock.ts";
import { deepEqual } from "../../harness.ts";
import { type MemoryConn, memoryPair } from "../../memory_conn.ts";

/** A visitor. */
export const opening = { protocol: "udp", visitor: { host: "192.0.2.7", port: 5555 } } as const;

/** Lets everything that waits on promises run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Keeps what a session receives. */
export class Receiver implements DatagramReceiver {
  readonly datagrams: Uint8Array[] = [];
  closings = 0;

  data(bytes: Uint8Array): void | Promise<void> {
    this.datagrams.push(bytes.slice());
  }

  closed(): void {
    this.closings++;
  }
}

/** A session of the egress end. */
export interface Announced {
  readonly session: WireDatagrams;
  readonly receiver: Receiver;
}

/** One end of a link, and what it tells. */
export class End {
  readonly announced: Announced[] = [];
  readonly link: DatagramLink;
  readonly conn: MemoryConn;
  readonly running: Promise<void>;
  refuse = false;
  dropped = 0;
  closings = 0;
  error: NodePassError | null = null;

  constructor(
    conn: MemoryConn,
    end: "ingress" | "egress",
    clock: FakeClock,
    receiver: () => Receiver = () => new Receiver(),
  ) {
    this.conn = conn;
    this.link = new DatagramLink({
      conn,
      end,
      counter: 1,
      now: () => clock.now(),
      soon: (run) => clock.soon(run),
      events: {
        opened: (session) => {
          if (this.refuse) return null;
          const own = receiver();
          this.announced.push({ session, receiver: own });
          return own;
        },
        dropped: () => this.dropped++,
        closed: (_link, error) => {
          this.closings++;
          this.error = error;
        },
      },
    });
    this.running = this.link.run();
  }
}

/** Both ends of a link, and what ends them. */
export interface Pair {
  readonly clock: FakeClock;
  readonly ingress: End;
  readonly egress: End;
  close(): Promise<void>;
}

/** Both ends of a link. */
export function pair(receiver?: () => Receiver): Pair {
  const clock = new FakeClock();
  const [here, there] = memoryPair();
  const ingress = new End(here, "ingress", clock);
  const egress = new End(there, "egress", clock, receiver);
  const close = async (): Promise<void> => {
    ingress.link.close();
    egress.link.close();
    await Promise.all([ingress.running, egress.running]);
    deepEqual([ingress.closings, egress.closings], [1, 1]);
  };
  return { clock, ingress, egress, close };
}

/** One end, and what its other end says. */
export interface Bare {
  readonly clock: FakeClock;
  readonly own: End;
  readonly peer: MemoryConn;
  hear(...chunks: Uint8Array[]): Promise<void>;
}

/** One end whose other end is the test. */
export function bare(end: "ingress" | "egress" = "egress"): Bare {
  const clock = new FakeClock();
  const [conn, peer] = memoryPair();
  const own = new End(conn, end, clock);
  const hear = async (...chunks: Uint8Array[]): Promise<void> => {
    for (const chunk of chunks) await peer.write(chunk).catch(() => {});
    await turn();
  };
  return { clock, own, peer, hear };
}

/** A frame of any type, whose length may lie. */
export function frame(
  type: number,
  payload: readonly number[],
  announced: number = payload.length,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 + payload.length);
  writeFrameHeader(bytes, 0, type, announced);
  bytes.set(payload, 4);
  return bytes;
}
