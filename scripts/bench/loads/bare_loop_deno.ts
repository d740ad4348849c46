/**
 * What the runtime itself can do: one hop of nothing but read and write, without limits, counters or care.
 *
 * Usage: `bare_loop.ts PORT BACKEND_PORT`
 */
const [port, backend] = Deno.args.map(Number) as [number, number];
const SMALLEST_BYTES = 16 * 1024;
const LARGEST_BYTES = 1024 * 1024;

async function pump(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  let buffer = new Uint8Array(SMALLEST_BYTES);
  try {
    for (;;) {
      const count = await from.read(buffer);
      if (count === null) break;
      let at = 0;
      while (at < count) at += await to.write(buffer.subarray(at, count));
      if (count === buffer.length && count < LARGEST_BYTES) buffer = new Uint8Array(count * 4);
    }
    await to.closeWrite();
  } catch {
    // Either side is gone: both are closed below.
  }
}

async function serve(visitor: Deno.TcpConn): Promise<void> {
  let target: Deno.TcpConn | null = null;
  try {
    target = await Deno.connect({ hostname: "127.0.0.1", port: backend });
    visitor.setNoDelay(true);
    target.setNoDelay(true);
    await Promise.all([pump(visitor, target), pump(target, visitor)]);
  } catch {
    // A visitor that left early.
  }
  for (const conn of [visitor, target]) {
    try {
      conn?.close();
    } catch {
      // Closed already.
    }
  }
}

for await (const visitor of Deno.listen({ hostname: "127.0.0.1", port })) void serve(visitor);
