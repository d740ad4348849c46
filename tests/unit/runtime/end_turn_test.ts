import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { detectRuntime } from "../../../src/runtime/detect.ts";
import { ok, test } from "../../harness.ts";

/** Twice as many sockets are always ready: more than the system hands over in one round. */
const PAIRS = 1_100;
const ANSWERS = 80_000;
/** A few rounds of everybody. Without an end a turn has 48 rounds of 1,024. */
const MOST_IN_A_TURN = 15_000;

test("Process.endTurn: timers have their turn while more than a thousand connections always have something to say", async () => {
  const { clock, process } = await detectRuntime();
  const sockets: Socket[] = [];
  const { promise: enough, resolve } = Promise.withResolvers<void>();
  let [answers, answersAtTurn, turnAt, most] = [0, 0, clock.now(), 0];
  const turn = (): void => {
    most = Math.max(most, answers - answersAtTurn);
    answersAtTurn = answers;
    turnAt = clock.now();
  };
  /** Each answer is answered at once, so that all of them are ready again when all were served. */
  const answer = (socket: Socket) => (bytes: Uint8Array): void => {
    if (++answers >= ANSWERS) return resolve();
    socket.write(bytes);
    if (clock.now() - turnAt > 50) process.endTurn();
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
  const timer = clock.every(5, turn);
  for (const socket of sockets) socket.write("x");
  await enough;
  turn();
  timer.cancel();
  const closed = sockets.map((socket) => once(socket, "close"));
  for (const socket of sockets) socket.destroy();
  await Promise.all(closed);
  await new Promise((done) => server.close(done));
  ok(most < MOST_IN_A_TURN, `${most} answers in one turn`);
});
