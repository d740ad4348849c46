/**
 * Links of the dialect of Go NodePass 1.14 on connections in memory.
 *
 * @module
 */
import { RawLinks } from "../../../../src/tunnel/nodepass_1_14/links.ts";
import { RawLink } from "../../../../src/wire/nodepass_1_14/raw_link.ts";
import type { Signal } from "../../../../src/wire/nodepass_1_14/signals.ts";
import { FakeClock } from "../../../fake_clock.ts";
import { type MemoryConn, memoryPair } from "../../../memory_conn.ts";

/** How long a signal waits for its link. */
export const CLAIM_MS = 5_000;

/** Links, and what they said. */
export class LinksSide {
  readonly clock: FakeClock = new FakeClock();
  readonly links: RawLinks;
  readonly signals: Signal[] = [];
  /** How often the number of links changed. */
  changes = 0;
  /** How many links the other end closed at once. */
  spurned = 0;
  readonly #end: "ingress" | "egress";

  constructor(end: "ingress" | "egress" = "ingress", maxReady = 4) {
    this.#end = end;
    this.links = new RawLinks({
      clock: this.clock,
      maxReady,
      claimMs: CLAIM_MS,
      changed: () => this.changes++,
      spurned: () => this.spurned++,
    });
  }

  /** Adds a link; its other end comes back. */
  add(id: string): MemoryConn {
    const [conn, other] = memoryPair();
    this.links.add(
      new RawLink({
        conn,
        id,
        end: this.#end,
        maxBufferBytes: 65_536,
        clock: this.clock,
        events: {
          announce: (signal) => this.signals.push(signal),
          released: (link) => this.links.released(link),
          dropped: () => {},
          closed: (link, error) => this.links.ended(link, error),
        },
      }),
    );
    return other;
  }
}

/** Lets everything run that is ready to. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

/** Whether the other end of this connection closed it. */
export async function wasClosed(conn: MemoryConn): Promise<boolean> {
  let closed = false;
  void conn.read(new Uint8Array(1)).then((count) => closed = count === null, () => closed = true);
  await settle();
  return closed;
}
