/**
 * Opens sessions that each carry one message both ways and then stay idle: `idle_sessions.ts PORT COUNT`.
 *
 * Prints `ready` when all are open, then stays until it is stopped.
 *
 * @module
 */
import { MESSAGE_BYTES, readMessage, WHOLE_ANSWER, writeAll } from "./message.ts";

const OPENERS = 25;

const [port, count] = Deno.args.map(Number) as [number, number];
const open: Deno.TcpConn[] = [];
const message = new Uint8Array(MESSAGE_BYTES).fill(WHOLE_ANSWER);
let started = 0;

async function opener(): Promise<void> {
  const answer = new Uint8Array(MESSAGE_BYTES);
  while (started++ < count) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await writeAll(conn, message);
    if (!await readMessage(conn, answer)) throw new Error("a session ended early");
    open.push(conn);
  }
}

await Promise.all(Array.from({ length: OPENERS }, opener));
console.log("ready");
setInterval(() => {}, 60_000);
