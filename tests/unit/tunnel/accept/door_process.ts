/**
 * A front door in a process of its own: prints where it listens, then its counters at each line on standard input.
 *
 * @module
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { openFrontDoor } from "./front_door.ts";

// As the command does: Deno opens descriptors for its signals at first use, and ends when there are none left by then.
process.on("SIGTERM", () => process.exit(0));

const door = await openFrontDoor(process.argv[2] === "1" ? 1 : 0, { handshakeTimeoutMs: Number(process.argv[3]) });
const print = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
print({ port: door.port, caPem: door.caPem });
for await (const _ of createInterface({ input: process.stdin })) {
  const { pending, refusals } = door.acceptor;
  const messages = [...new Set(door.logger.lines.map(({ message }) => message))];
  (globalThis as { gc?: () => void }).gc?.();
  const heapMiB = process.memoryUsage().heapUsed / 1_048_576;
  print({ pending, refusals, lines: door.logger.lines.length, messages, heapMiB });
}
door.close();
