import { connect, createServer, type Socket } from "node:net";
import { once } from "node:events";
import { detectRuntime } from "../../../src/runtime/detect.ts";
import { ok, test } from "../../harness.ts";

/** More than the system hands over in one round. */
const PAIRS = 1_100;
/** What each answer costs. */
const WORK_MS = 0.2;
const BUSY_MS = 4_000;
/** A round of everybody takes half a second; without an end a turn takes 48 rounds. */
const MOST_LATE_MS = 2_000;

test("Process.endTurn: timers are in time while more than a thousand connections always have something to say", async () => {
  const { clock, process } = await detectRuntime();
  const sockets: Socket[] = [];
  let busyUntil = Infinity;
  let turnAt = clock.now();
  /** Each answer is answered at once, so that all of them are ready again when all were served. */
  const answer = (socket: Socket) => (bytes: Uint8Array): void => {
    const startedAt = clock.now();
    while (clock.now() - startedAt < WORK_MS);
    const now = clock.now();
    if (now < busyUntil) socket.write(bytes);
    if (now - turnAt <= 50) return;
    turnAt = now;
    process.endTurn();
  };
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("data", answer(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  for (let index = 0; index < PAIRS; index++) {
    const socket = connect(port, "127.0.0.1");
    sockets.push(socket);
    socket.on("data", answer(socket));
    await once(socket, "connect");
  }
  let latest = 0;
  let dueAt = clock.now() + 10;
  const timer = clock.every(10, () => {
    const now = clock.now();
    latest = Math.max(latest, now - dueAt);
    dueAt = now + 10;
    turnAt = now;
  });
  busyUntil = clock.now() + BUSY_MS;
  for (const socket of sockets) socket.write("x");
  await new Promise<void>((resolve) => void clock.after(BUSY_MS, resolve));
  timer.cancel();
  const closed = sockets.map((socket) => once(socket, "close"));
  for (const socket of sockets) socket.destroy();
  await Promise.all(closed);
  await new Promise((resolve) => server.close(resolve));
  ok(latest < MOST_LATE_MS, `a timer was ${Math.round(latest)} ms late`);
});
