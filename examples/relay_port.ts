/**
 * A port of this machine leads to a service elsewhere, without a tunnel server. Two targets: the dead one is skipped.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { text } from "node:stream/consumers";
import { startForward } from "nodepass/client";

const service = createServer((socket) => socket.end("one line from the service\n")).listen(0, "127.0.0.1");
await once(service, "listening");
const { port } = service.address() as AddressInfo;

// Nobody listens on port 1; the other target takes over.
const forward = await startForward(`client://127.0.0.1:0/127.0.0.1:1,127.0.0.1:${port}?noudp=1`);
const entry = forward.addr!;
console.log(`visitors of ${entry.host}:${entry.port} reach 127.0.0.1:${port}`);

for (let visit = 1; visit <= 3; visit++) {
  console.log(`visit ${visit}: ${(await text(connect(entry.port, entry.host))).trim()}`);
}

await forward.close();
service.close();
