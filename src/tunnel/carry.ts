/**
 * One TCP session between a local socket (a visitor's or a target's) and a link.
 *
 * @module
 */
import { copy } from "../relay/copy.ts";
import type { TokenBucket } from "../relay/token_bucket.ts";
import type { Conn } from "../runtime/types.ts";
import type { AbortReason, SessionReceiver, WireSession } from "../wire/types.ts";
import type { TunnelContext } from "./context.ts";
import type { Session } from "./session_ledger.ts";

/** Writes what the link delivers to the local socket, which may still be being dialled. */
export class SocketReceiver implements SessionReceiver {
  #conn: Conn | null = null;
  readonly #dialled: Promise<Conn>;
  readonly #session: Session;
  readonly #bucket: TokenBucket | null;
  #aborted = false;
  #sourceEnded = false;

  /** @param conn the socket; data waits while it is a promise, and is refused when that rejects */
  constructor(conn: Conn | Promise<Conn>, session: Session, bucket: TokenBucket | null) {
    this.#session = session;
    this.#bucket = bucket;
    this.#dialled = Promise.resolve(conn);
    if (conn instanceof Promise) {
      conn.then((dialled) => {
        this.#conn = dialled;
        if (this.#aborted) dialled.reset();
      }, () => {});
    } else {
      this.#conn = conn;
    }
  }

  async data(chunk: Uint8Array): Promise<void> {
    const conn = this.#conn ?? await this.#dialled;
    const bucket = this.#bucket;
    let paid = bucket === null ? chunk.length : 0;
    let done = 0;
    do {
      if (bucket !== null && done === paid) {
        // However much came at once, it leaves in bursts of the rate.
        paid = Math.min(chunk.length, done + bucket.burstBytes);
        const wait = bucket.take(paid - done, this);
        if (wait !== undefined) await wait;
      }
      const whole = done === 0 && paid === chunk.length;
      const written = await conn.write(whole ? chunk : chunk.subarray(done, paid));
      this.#session.meter.sent(written);
      done += written;
    } while (done < chunk.length);
  }

  /** The socket said its last word: its end is the close that follows the end of the other direction. */
  sourceEnded(): void {
    this.#sourceEnded = true;
  }

  async end(): Promise<void> {
    if (this.#sourceEnded) return;
    await (this.#conn ?? await this.#dialled).closeWrite();
  }

  abort(): void {
    this.#aborted = true;
    this.#bucket?.forget(this);
    this.#conn?.reset();
  }
}

/** Carries one session until both directions have ended; the socket is closed on every path out. */
export async function carry(
  context: TunnelContext,
  conn: Conn,
  wire: WireSession,
  receiver: SocketReceiver,
  session: Session,
): Promise<AbortReason | null> {
  const { config, inbound, sweeper } = context;
  session.cut = () => wire.abort("cut");
  const unwatch = config.readMs > 0 ? sweeper.watch(session.meter, config.readMs, () => wire.abort("idle")) : null;
  try {
    const result = await copy(conn, wire, {
      maxBufferBytes: config.settings.tcpBufferBytes,
      meter: session.meter,
      bucket: inbound,
    });
    if (result.kind === "end") receiver.sourceEnded();
    else wire.abort("reset");
    const reason = await wire.finished;
    if (reason === null) conn.close();
    else conn.reset();
    return reason;
  } finally {
    unwatch?.();
    inbound?.forget(conn);
  }
}
