/**
 * `rate=8` is 8 Mbit/s (1,000,000 bytes a second) in each direction, for all visitors together and fair between them.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { arrayBuffer } from "node:stream/consumers";
import { startForward } from "nodepass/client";

const BYTES = 500_000;
const service = createServer((socket) => socket.end(new Uint8Array(BYTES))).listen(0, "127.0.0.1");
await once(service, "listening");
const { port } = service.address() as AddressInfo;

const forward = await startForward(`client://127.0.0.1:0/127.0.0.1:${port}?rate=8&noudp=1`);
const started = performance.now();
await Promise.all(["Ada", "Grace"].map(async (name) => {
  const { byteLength } = await arrayBuffer(connect(forward.addr!.port, "127.0.0.1"));
  console.log(`${name}: ${byteLength} bytes after ${Math.round(performance.now() - started)} ms`);
}));

await forward.close();
service.close();
