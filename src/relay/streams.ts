/**
 * The relay for places without sockets: bytes between two pairs of web streams.
 *
 * @module
 */
import { NodePassError } from "../errors.ts";
import type { CopyEnd } from "./copy.ts";
import { Ending } from "./ending.ts";

/** A two-way byte stream: a WebSocket stream, a fetch body with its request, a socket as web streams. */
export interface StreamPair {
  /** Bytes that this side sends. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Bytes for this side. */
  readonly writable: WritableStream<Uint8Array>;
}

/** Options of {@linkcode relay}. */
export interface RelayOptions {
  /** Aborts both pairs; the result is then `cut`. */
  readonly signal?: AbortSignal;
}

/** How a relay ended, and the bytes that were written to each side. */
export interface RelayResult {
  /** `done`: both directions ended cleanly. `reset_by_*`: that side broke and the other was aborted. */
  readonly end: "done" | "reset_by_a" | "reset_by_b" | "cut";
  /** Bytes written to `b`. */
  readonly aToB: number;
  /** Bytes written to `a`. */
  readonly bToA: number;
}

/** One direction: locked while the relay runs. */
interface Direction {
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly writer: WritableStreamDefaultWriter<Uint8Array>;
  bytes: number;
  /** Cut data must not look like a clean end. */
  withheld: boolean;
  /** The writer broke, noticed or not by a write. */
  broken: boolean;
  stopped: boolean;
}

/**
 * Relays bytes both ways until both directions have ended.
 *
 * The end of one readable closes the opposite writable while the other direction goes on. When a side breaks, the
 * other is aborted, so that cut data never looks like a clean end. One chunk per direction is in flight: a slow
 * reader slows its writer down.
 *
 * @param a one side
 * @param b the other side
 * @param options the signal that ends the relay early
 * @returns how it ended and the byte counts
 * @throws {NodePassError} `usage` when a chunk is not a Uint8Array
 *
 * @example
 * ```ts
 * import { relay } from "nodepass";
 *
 * const left = new TransformStream<Uint8Array, Uint8Array>();
 * const right = new TransformStream<Uint8Array, Uint8Array>();
 * const echo = new TransformStream<Uint8Array, Uint8Array>();
 * const running = relay({ readable: left.readable, writable: right.writable }, echo);
 *
 * const writer = left.writable.getWriter();
 * await writer.write(new TextEncoder().encode("hello"));
 * await writer.close();
 * console.log(await new Response(right.readable).text()); // "hello"
 * console.log((await running).end); // "done"
 * ```
 */
export async function relay(a: StreamPair, b: StreamPair, options: RelayOptions = {}): Promise<RelayResult> {
  const { signal } = options;
  const forth = direction(a, b);
  const back = direction(b, a);
  const stopped = Promise.withResolvers<void>();
  const ending = new Ending<"reset_by_a" | "reset_by_b" | "cut">({
    resetBoth: () => {
      abort(forth);
      abort(back);
      // A write that hangs in a stalled sink cannot be interrupted, so the relay does not wait for it.
      stopped.resolve();
    },
    after(ms, run) {
      // No runtime is passed to this function, so the platform's timer it is.
      const timer = setTimeout(run, ms);
      return { cancel: () => clearTimeout(timer) };
    },
  });
  const cut = (): void => ending.stop("cut");
  if (signal?.aborted) cut();
  else signal?.addEventListener("abort", cut);
  try {
    const both = Promise.all([
      pump(forth).then((end) => ending.settle(end, "reset_by_a", "reset_by_b", () => back.withheld = true)),
      pump(back).then((end) => ending.settle(end, "reset_by_b", "reset_by_a", () => forth.withheld = true)),
    ]);
    await Promise.race([both, stopped.promise]);
    const end = ending.finish() ?? "done";
    return { end, aToB: forth.bytes, bToA: back.bytes };
  } catch (error) {
    cut();
    throw error;
  } finally {
    signal?.removeEventListener("abort", cut);
  }
}

function direction(from: StreamPair, to: StreamPair): Direction {
  const reader = from.readable.getReader();
  const writer = to.writable.getWriter();
  const way: Direction = { reader, writer, bytes: 0, withheld: false, broken: false, stopped: false };
  // A quiet source would not let the pump notice that its sink is gone.
  writer.closed.catch(() => {
    way.broken = true;
    reader.cancel().catch(() => {});
  });
  return way;
}

/** Rejects only for a chunk of a wrong type. */
async function pump(way: Direction): Promise<CopyEnd> {
  let writing = false;
  try {
    for (;;) {
      const { done, value } = await way.reader.read();
      // A cancelled reader says "done" too.
      if (done || way.stopped || way.broken) break;
      if (!(value instanceof Uint8Array)) {
        throw new NodePassError("usage", `Cannot relay a chunk of type ${typeof value}: expected a Uint8Array`);
      }
      if (value.length === 0) continue;
      writing = true;
      await way.writer.write(value);
      way.bytes += value.length;
      writing = false;
    }
    writing = true;
    if (way.broken) await way.writer.closed;
    else if (!way.stopped && !way.withheld) await way.writer.close();
    return { kind: "end" };
  } catch (error) {
    if (error instanceof NodePassError && error.code === "usage") throw error;
    return { kind: writing ? "sink_failed" : "source_failed", error };
  }
}

function abort(way: Direction): void {
  if (way.stopped) return;
  way.stopped = true;
  const reason = new NodePassError("connection_reset", "Relay ended before its data was complete");
  // Both may fail on a stream that is already broken, which changes nothing.
  way.reader.cancel(reason).catch(() => {});
  way.writer.abort(reason).catch(() => {});
}
