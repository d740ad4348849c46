/**
 * `relay` joins any two pairs of web streams: here each WebSocket of a browser to a TCP service, with back-pressure and
 * half-close.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import type { Duplex } from "node:stream";
import { createWebSocketStream, WebSocketServer } from "ws";
import { relay, type StreamPair } from "nodepass";

const echo = createServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
await once(echo, "listening");
const { port } = echo.address() as AddressInfo;

const gateway = new WebSocketServer({ host: "127.0.0.1", port: 0 });
await once(gateway, "listening");
gateway.on("connection", async (socket) => {
  const browser = pairOf(createWebSocketStream(socket));
  const service = pairOf(connect({ port, host: "127.0.0.1", allowHalfOpen: true }));
  const { end, aToB, bToA } = await relay(browser, service);
  console.log(`gateway: ${end}, ${aToB} bytes to the service, ${bToA} bytes back`);
});

// A browser would do this.
const socket = new WebSocket(`ws://127.0.0.1:${(gateway.address() as AddressInfo).port}/`);
socket.binaryType = "arraybuffer";
await once(socket, "open");
socket.send(new TextEncoder().encode("hello through a WebSocket"));
const [message] = await once(socket, "message") as [MessageEvent<ArrayBuffer>];
console.log(`browser: ${new TextDecoder().decode(message.data)}`);
socket.close();
await once(socket, "close");
gateway.close();
echo.close();

/** The halves one by one: Node's own `Duplex.toWeb` shows the end of one half only when the other has ended too. */
function pairOf(duplex: Duplex): StreamPair {
  const readable = new ReadableStream<Uint8Array>({
    start(controller) {
      duplex.on("data", (chunk: Uint8Array) => {
        controller.enqueue(chunk);
        if (controller.desiredSize! <= 0) duplex.pause();
      });
      duplex.once("end", () => controller.close());
      duplex.once("error", (error) => controller.error(error));
    },
    pull: () => void duplex.resume(),
    cancel: (reason) => void duplex.destroy(reason),
  });
  const writable = new WritableStream<Uint8Array>({
    write: (chunk) =>
      new Promise((resolve, reject) => duplex.write(chunk, (error) => error ? reject(error) : resolve())),
    close: () => new Promise((resolve) => duplex.end(resolve)),
    abort: (reason) => void duplex.destroy(reason),
  });
  return { readable, writable };
}
