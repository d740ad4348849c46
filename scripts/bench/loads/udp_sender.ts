/**
 * Sends numbered datagrams at a steady rate: `udp_sender.ts PORT RATE SECONDS [WARM_UP]`.
 *
 * The warm-up datagrams (a slow start for the session to open) come first and carry numbers from 2^31 on, which the
 * receiver does not count. Prints one JSON line: sent, seconds.
 *
 * @module
 */
import { DATAGRAM_BYTES, fillPattern, stamp, WARM_UP_FROM } from "./datagram.ts";
import { BatchSocket, sleepMicroseconds } from "./libc.ts";

const BATCH = 32;

const [port, rate, seconds, warmUp = 200] = Deno.args.map(Number) as [number, number, number, number?];
const socket = new BatchSocket(BATCH, DATAGRAM_BYTES);
socket.connect(port);
const words = new Uint32Array(socket.data.buffer);
for (let i = 0; i < BATCH; i++) fillPattern(words, i * DATAGRAM_BYTES / 4);

for (let i = 0; i < warmUp; i++) {
  stamp(words, 0, WARM_UP_FROM + i);
  socket.send(1);
  sleepMicroseconds(2000);
}

const total = Math.floor(rate * seconds);
const start = performance.now();
let sent = 0;
while (sent < total) {
  const due = Math.min(total, Math.floor((performance.now() - start) * rate / 1000)) - sent;
  if (due <= 0) {
    sleepMicroseconds(50);
    continue;
  }
  const count = Math.min(due, BATCH);
  for (let i = 0; i < count; i++) stamp(words, i * DATAGRAM_BYTES / 4, sent + i);
  sent += socket.send(count);
}
console.log(JSON.stringify({ sent, seconds: (performance.now() - start) / 1000 }));
