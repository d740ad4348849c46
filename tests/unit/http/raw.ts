/**
 * Requests byte by byte, as no well-behaved client sends them.
 *
 * @module
 */
import net from "node:net";

/** What came back on one connection. */
export interface RawAnswer {
  readonly text: string;
  /** Milliseconds from the connection to its end. */
  readonly ms: number;
}

/** A connection from an address of this machine. */
export async function rawSocket(port: number, from = "127.0.0.1"): Promise<net.Socket> {
  const socket = net.connect({ host: "127.0.0.1", port, localAddress: from });
  socket.on("error", () => {});
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return socket;
}

/** Everything that arrives until the connection ends. */
export async function untilClosed(socket: net.Socket): Promise<RawAnswer> {
  const startedAt = performance.now();
  const chunks: Uint8Array[] = [];
  socket.on("data", (chunk: Uint8Array) => chunks.push(chunk));
  if (!socket.destroyed) await new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const text = chunks.map((chunk) => new TextDecoder().decode(chunk)).join("");
  return { text, ms: performance.now() - startedAt };
}

/** Sends a text and waits for the end of the connection. */
export async function exchangeRaw(port: number, text: string): Promise<RawAnswer> {
  const socket = await rawSocket(port);
  socket.write(text);
  return await untilClosed(socket);
}
