/**
 * Counts and verifies the datagrams of `udp_sender.ts`: `udp_receiver.ts PORT TOTAL`.
 *
 * Prints `ready` once bound and one JSON line at the end: after all `TOTAL` numbers, or after a second of silence that
 * follows the first counted datagram, or after 20 s.
 *
 * @module
 */
import { DATAGRAM_BYTES, fillPattern, stamp, WARM_UP_FROM } from "./datagram.ts";
import { BatchSocket, sameBytes } from "./libc.ts";

const BATCH = 64;
/** Larger than a test datagram, so that a merged one shows; a multiple of four, for the word view. */
const SLOT_BYTES = 2400;

const [port, total] = Deno.args.map(Number) as [number, number];
const socket = new BatchSocket(BATCH, SLOT_BYTES);
socket.setTimeout(1000);
socket.bind(port);
console.log("ready");

const words = new Uint32Array(socket.data.buffer);
const slots = Array.from({ length: BATCH }, (_, i) => socket.data.subarray(i * SLOT_BYTES, (i + 1) * SLOT_BYTES));
const expected = new Uint8Array(DATAGRAM_BYTES);
const expectedWords = new Uint32Array(expected.buffer);
fillPattern(expectedWords, 0);
const seen = new Uint8Array(total);
const counts = { received: 0, altered: 0, duplicated: 0, warmUp: 0 };
const deadline = performance.now() + 20_000;

function count(slot: number): void {
  const sequence = words[slot * SLOT_BYTES / 4]!;
  stamp(expectedWords, 0, sequence);
  const intact = socket.lengthOf(slot) === DATAGRAM_BYTES && sameBytes(slots[slot]!, expected, DATAGRAM_BYTES);
  if (!intact || (sequence >= total && sequence < WARM_UP_FROM)) counts.altered++;
  else if (sequence >= WARM_UP_FROM) counts.warmUp++;
  else if (seen[sequence]) counts.duplicated++;
  else {
    seen[sequence] = 1;
    counts.received++;
  }
}

while (counts.received < total && performance.now() < deadline) {
  const filled = socket.receive();
  if (filled === 0 && counts.received > 0) break;
  for (let i = 0; i < filled; i++) count(i);
}
console.log(JSON.stringify(counts));
