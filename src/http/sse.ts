/**
 * Server-sent events on the response of `node:http` itself: a web stream can neither tell that a reader is behind nor
 * break its connection.
 *
 * @module
 */
// Type only: web responses have no back-pressure towards a handler, and no socket.
import type { ServerResponse } from "node:http";
// The same.
import type { Socket } from "node:net";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Context } from "hono";
import type { Connection } from "./connection.ts";

/** A peer that vanished is noticed by its silence on the wire. */
const KEEP_ALIVE_MS = 30_000;

const HEADERS: Readonly<Record<string, string>> = {
  "Content-Type": "text/event-stream",
  "Cache-Control": "no-cache",
  // The end of the stream is the end of the connection.
  "Connection": "close",
  // A proxy in front must not collect events.
  "X-Accel-Buffering": "no",
};

/** An answer that goes on: frames of server-sent events. */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #socket: Socket | null;

  /** @param response whose head was written */
  constructor(response: ServerResponse) {
    this.#response = response;
    this.#socket = response.socket;
    this.#socket?.setKeepAlive(true, KEEP_ALIVE_MS);
    // Without a listener the error of a broken connection would end the process.
    response.on("error", () => {});
  }

  /** False when the reader is behind: nothing more until `whenWritable` calls. */
  write(frame: string): boolean {
    return this.#gone || this.#response.writableEnded || this.#response.write(frame);
  }

  /** Calls once there is room again. */
  whenWritable(run: () => void): void {
    this.#response.once("drain", run);
  }

  /** A clean end of the stream. */
  end(): void {
    this.#response.end();
  }

  /** Breaks the connection at its socket. */
  break(): void {
    const socket = this.#socket;
    if (socket === null || socket.destroyed) return;
    // A reset, where there is no TLS around it: what a reader never takes must not stay in the kernel.
    if ("encrypted" in socket) socket.destroy();
    else socket.resetAndDestroy();
  }

  /** Calls once the connection is gone, whoever ended it. */
  onClose(run: () => void): void {
    if (this.#gone) queueMicrotask(run);
    else this.#response.once("close", run);
  }

  get #gone(): boolean {
    return this.#response.destroyed || this.#socket === null || this.#socket.destroyed;
  }
}

/**
 * Answers a request with a stream of events. Headers that were set on the context go along.
 *
 * @param attach gets the stream and the `Last-Event-ID` of a reader that comes back
 */
export function answerEvents<E extends { Bindings: Pick<Connection, "outgoing"> }>(
  context: Context<E>,
  attach: (stream: EventStream, lastEventId: string | null) => void,
): Response {
  if (context.req.raw.method === "HEAD") return context.body(null, 200, { "Content-Type": HEADERS["Content-Type"]! });
  const response = context.env.outgoing as ServerResponse;
  response.writeHead(200, { ...Object.fromEntries(context.res.headers), ...HEADERS });
  response.flushHeaders();
  attach(new EventStream(response), context.req.header("Last-Event-ID") ?? null);
  return RESPONSE_ALREADY_SENT;
}
