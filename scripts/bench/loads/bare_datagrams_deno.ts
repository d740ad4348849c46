/**
 * What Deno itself can do with datagrams: `bare_datagrams_deno.ts near|far|hop PORT NEXT_PORT`.
 *
 * `near` receives datagrams, takes all that are there together and writes them to a connection, each behind two bytes of
 * length; `far` reads them and sends each on. `hop` receives and sends, with nothing between.
 *
 * @module
 */
const [role, ...ports] = Deno.args;
const [port, next] = ports.map(Number) as [number, number];
const hostname = "127.0.0.1";
const HEADER_BYTES = 2;
const BATCH_BYTES = 256 * 1024;
const FULL_BYTES = 64 * 1024;
const target: Deno.NetAddr = { transport: "udp", hostname, port: next };

function bind(at: number): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "udp", hostname, port: at });
}

async function hop(): Promise<void> {
  const [entry, exit] = [bind(port), bind(0)];
  const room = new Uint8Array(65_536);
  for (;;) {
    const [bytes] = await entry.receive(room);
    await exit.send(bytes, target);
  }
}

async function near(): Promise<void> {
  const conn = await Deno.connect({ hostname, port: next });
  conn.setNoDelay(true);
  const entry = bind(port);
  const room = new Uint8Array(65_536);
  let [batch, spare] = [new Uint8Array(BATCH_BYTES), new Uint8Array(BATCH_BYTES)];
  let filled = 0;
  let writing = false;
  let scheduled = false;
  const flush = async (): Promise<void> => {
    scheduled = false;
    if (writing) return;
    writing = true;
    while (filled > 0) {
      const full = batch.subarray(0, filled);
      [batch, spare] = [spare, batch];
      filled = 0;
      for (let at = 0; at < full.length;) at += await conn.write(full.subarray(at));
    }
    writing = false;
  };
  for (;;) {
    const [bytes] = await entry.receive(room);
    if (filled + HEADER_BYTES + bytes.length > BATCH_BYTES) continue;
    batch[filled] = bytes.length >> 8;
    batch[filled + 1] = bytes.length & 0xff;
    batch.set(bytes, filled + HEADER_BYTES);
    filled += HEADER_BYTES + bytes.length;
    if (filled >= FULL_BYTES) void flush();
    else if (!scheduled) {
      scheduled = true;
      setImmediate(flush);
    }
  }
}

async function far(): Promise<void> {
  const listener = Deno.listen({ hostname, port });
  const exit = bind(0);
  const conn = await listener.accept();
  const buffer = new Uint8Array(BATCH_BYTES);
  let have = 0;
  for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer.subarray(have))) {
    have += count;
    let at = 0;
    while (have - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + ((buffer[at]! << 8) | buffer[at + 1]!);
      if (end > have) break;
      await exit.send(buffer.subarray(at + HEADER_BYTES, end), target);
      at = end;
    }
    buffer.copyWithin(0, at, have);
    have -= at;
  }
}

await (role === "near" ? near() : role === "far" ? far() : hop());
