/**
 * Sends as fast as it can until it is stopped: `bulk_source.ts PORT STREAMS`. Prints `ready` once all streams are open.
 *
 * @module
 */

const CHUNK_BYTES = 128 * 1024;

const [port, streams] = Deno.args.map(Number) as [number, number];
const chunk = crypto.getRandomValues(new Uint8Array(64 * 1024));
const bytes = new Uint8Array(CHUNK_BYTES);
for (let at = 0; at < CHUNK_BYTES; at += chunk.length) bytes.set(chunk, at);

async function send(conn: Deno.TcpConn): Promise<void> {
  for (;;) {
    for (let sent = 0; sent < CHUNK_BYTES;) sent += await conn.write(bytes.subarray(sent));
  }
}

const conns = await Promise.all(
  Array.from({ length: streams }, () => Deno.connect({ hostname: "127.0.0.1", port })),
);
console.log("ready");
await Promise.all(conns.map(send));
