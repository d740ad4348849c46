/**
 * Links for sessions over connections in memory.
 *
 * @module
 */
import type { Conn, SocketAddress } from "../../../src/runtime/types.ts";
import { LateLooks } from "../../../src/wire/secure/acknowledger.ts";
import { FrameLink } from "../../../src/wire/secure/frame_link.ts";
import type { FrameLinkEvents } from "../../../src/wire/secure/frame_link_types.ts";
import type { FrameSession } from "../../../src/wire/secure/frame_session.ts";
import type { AbortReason, Opening, SessionReceiver } from "../../../src/wire/types.ts";
import { FakeClock } from "../../fake_clock.ts";
import { type MemoryConn, memoryPair } from "../../memory_conn.ts";

/** Who visits. */
export const visitor: SocketAddress = { host: "192.0.2.7", port: 5555 };
/** The visit. */
export const opening: Opening = { protocol: "tcp", visitor };
/** Room in front of the bytes of a session. */
export const HEADROOM: number = 64;

/** Collects what a link delivers. */
export class Recorder implements SessionReceiver {
  readonly bytes: number[] = [];
  ended = false;
  aborted: AbortReason | null = null;
  failWrites = false;

  data(chunk: Uint8Array): Promise<void> {
    if (this.failWrites) return Promise.reject(new Error("broken pipe"));
    this.bytes.push(...chunk);
    return Promise.resolve();
  }

  end(): Promise<void> {
    this.ended = true;
    return Promise.resolve();
  }

  abort(reason: AbortReason): void {
    this.aborted = reason;
  }
}

/** What a link told. */
export interface Told {
  readonly sessions: { readonly session: FrameSession; readonly receiver: Recorder }[];
  readonly orphans: FrameSession[];
  readonly cancels: number[];
  ready: number;
  error: string | null;
}

function listen(): { readonly told: Told; readonly events: FrameLinkEvents } {
  const told: Told = { sessions: [], orphans: [], cancels: [], ready: 0, error: null };
  return {
    told,
    events: {
      opened: (session) => {
        const receiver = new Recorder();
        session.attach(receiver);
        told.sessions.push({ session, receiver });
      },
      ready: () => told.ready++,
      orphaned: (session) => told.orphans.push(session),
      cancel: (_link, sequence) => told.cancels.push(sequence),
      closed: (_link, error) => told.error = error.message,
    },
  };
}

/** One end of a link that runs. */
export interface RunningLink {
  readonly link: FrameLink;
  readonly told: Told;
  readonly running: Promise<void>;
}

/** Runs one end of a link. */
export function linkOn(
  conn: Conn,
  end: "ingress" | "egress",
  clock: FakeClock,
  acknowledge: boolean = false,
): RunningLink {
  const { told, events } = listen();
  const link = new FrameLink({
    conn,
    end,
    counter: 1,
    maxBufferBytes: 65_536,
    acknowledge: acknowledge ? new LateLooks((ms, run) => clock.after(ms, run)) : null,
    now: () => clock.now(),
    events,
  });
  return { link, told, running: link.run() };
}

/** Both ends of a link that runs. */
export interface LinkPair {
  readonly clock: FakeClock;
  readonly a: MemoryConn;
  readonly b: MemoryConn;
  readonly ingress: RunningLink;
  readonly egress: RunningLink;
}

/** Runs both ends of a link. */
export function pair(): LinkPair {
  const clock = new FakeClock();
  const [a, b] = memoryPair();
  return { clock, a, b, ingress: linkOn(a, "ingress", clock), egress: linkOn(b, "egress", clock) };
}

/** Lets everything that waits on promises run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
  await new Promise<void>((resolve) => setTimeout(resolve, 0));
}

/** Sends bytes of a session. */
export async function send(session: FrameSession, bytes: readonly number[]): Promise<void> {
  const buffer = new Uint8Array(HEADROOM + bytes.length);
  buffer.set(bytes, HEADROOM);
  await session.write(buffer, HEADROOM, buffer.length);
}
