/**
 * Who visited, for how long, and how much went which way: from the log, from `sessions()` and from `onReport`.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { text } from "node:stream/consumers";
import { createLogger, startForward } from "nodepass";

const service = createServer((socket) => void socket.once("data", () => socket.end("x".repeat(5_000))));
service.listen(0, "127.0.0.1");
await once(service, "listening");
const { port } = service.address() as AddressInfo;

// Level debug says a line per session; JSON lines are easy to take apart.
const logger = createLogger({
  level: "debug",
  format: "json",
  color: false,
  wall: Date.now,
  write(line) {
    const { message, visitor, target, rx, tx, durationMs, reason } = JSON.parse(line);
    if (message !== "Session ended") return;
    console.log(`${visitor} -> ${target}: ${rx} bytes in, ${tx} bytes out, ${durationMs} ms, ${reason}`);
  },
});
const forward = await startForward(`client://127.0.0.1:0/127.0.0.1:${port}?noudp=1`, {
  logger,
  onReport: ({ tcpSessions, tcpRx, tcpTx }) =>
    console.log(`report: ${tcpSessions} live, ${tcpRx} bytes in, ${tcpTx} bytes out`),
});

const visitors = [1, 2, 3].map(() => connect(forward.addr!.port, "127.0.0.1"));
await Promise.all(visitors.map((visitor) => once(visitor, "connect")));
for (const visitor of visitors) visitor.write("hello");
await Promise.all(visitors.map((visitor) => text(visitor)));

await forward.close();
service.close();
