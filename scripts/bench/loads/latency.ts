/**
 * Round trips with one request in flight, the direct way and the tunnel in turn:
 * `latency.ts DIRECT_PORT TUNNEL_PORT PATTERN ROUNDS`.
 *
 * Patterns: `whole` (one write each way), `visitor` (the visitor writes twice, then reads), `target` (the target writes
 * twice, then reads). Prints one JSON line: direct and tunnel, each with p50 and p99 in milliseconds.
 *
 * @module
 */
import { FIRST_PART_BYTES, MESSAGE_BYTES, readMessage, SPLIT_ANSWER, WHOLE_ANSWER, writeAll } from "./message.ts";

const BLOCK = 100;
const WARM_UP = 300;

const [directPort, tunnelPort, pattern, rounds] = [
  Number(Deno.args[0]),
  Number(Deno.args[1]),
  Deno.args[2],
  Number(Deno.args[3]),
];
const request = new Uint8Array(MESSAGE_BYTES).fill(1);
request[0] = pattern === "target" ? SPLIT_ANSWER : WHOLE_ANSWER;
const parts = pattern === "visitor"
  ? [request.subarray(0, FIRST_PART_BYTES), request.subarray(FIRST_PART_BYTES)]
  : [request];
const answer = new Uint8Array(MESSAGE_BYTES);

async function connect(port: number): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  return conn;
}

async function measure(conn: Deno.TcpConn, count: number, into: number[]): Promise<void> {
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    for (const part of parts) await writeAll(conn, part);
    if (!await readMessage(conn, answer)) throw new Error("the stream ended early");
    into.push(performance.now() - start);
  }
}

function quantiles(times: number[]): { p50: number; p99: number } {
  times.sort((a, b) => a - b);
  const at = (fraction: number) => times[Math.min(times.length - 1, Math.floor(times.length * fraction))]!;
  return { p50: at(0.5), p99: at(0.99) };
}

const direct = await connect(directPort);
const tunnel = await connect(tunnelPort);
await measure(direct, WARM_UP, []);
await measure(tunnel, WARM_UP, []);
const directTimes: number[] = [];
const tunnelTimes: number[] = [];
while (tunnelTimes.length < rounds!) {
  await measure(direct, BLOCK, directTimes);
  await measure(tunnel, BLOCK, tunnelTimes);
}
direct.close();
tunnel.close();
console.log(JSON.stringify({ direct: quantiles(directTimes), tunnel: quantiles(tunnelTimes) }));
