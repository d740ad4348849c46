/**
 * Takes bytes and counts them: `bulk_sink.ts PORT COUNTER_PORT`.
 *
 * A connection to the counter port gets one JSON line: the bytes so far, and how many streams are open.
 *
 * @module
 */

const BUFFER_BYTES = 256 * 1024;

const [port, counterPort] = Deno.args.map(Number) as [number, number];
const hostname = "127.0.0.1";
let bytes = 0;
let open = 0;

async function take(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  open++;
  try {
    for (;;) {
      const count = await conn.read(buffer);
      if (count === null) break;
      bytes += count;
    }
  } catch {
    // The source was stopped.
  } finally {
    open--;
    conn.close();
  }
}

async function count(): Promise<void> {
  for await (const conn of Deno.listen({ hostname, port: counterPort })) {
    await conn.write(new TextEncoder().encode(JSON.stringify({ bytes, open })));
    conn.close();
  }
}

void count();
const listener = Deno.listen({ hostname, port });
console.log("ready");
for await (const conn of listener) void take(conn);
