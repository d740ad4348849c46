/**
 * What Node itself can do: one hop of nothing but two pipes, without limits, counters or care.
 *
 * Usage: `bare_loop_node.ts PORT BACKEND_PORT`
 *
 * @module
 */
import { connect, createServer, type Socket } from "node:net";
import process from "node:process";

const [port, backend] = process.argv.slice(2).map(Number) as [number, number];
const options = { allowHalfOpen: true, noDelay: true };

function serve(visitor: Socket): void {
  const target = connect({ host: "127.0.0.1", port: backend, ...options });
  visitor.on("error", () => target.destroy());
  target.on("error", () => visitor.destroy());
  visitor.pipe(target);
  target.pipe(visitor);
}

createServer(options, serve).listen({ host: "127.0.0.1", port, backlog: 4096 });
