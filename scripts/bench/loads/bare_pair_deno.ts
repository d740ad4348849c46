/**
 * Two bare loops with links between them that are used again:
 * `bare_pair_deno.ts near|far PORT NEXT_PORT [CA_FILE CHAIN_FILE KEY_FILE NAME]`, with the files inside TLS.
 *
 * On a link each chunk follows its length (four bytes); a length of 0 ends one direction of a session.
 *
 * @module
 */
import { writeAll } from "./message.ts";

const HEADER_BYTES = 4;
const SMALLEST_BYTES = 16 * 1024;
const LARGEST_BYTES = 1024 * 1024;
const END = new Uint8Array(HEADER_BYTES);

const [role, ...rest] = Deno.args;
const [port, next] = rest.slice(0, 2).map(Number) as [number, number];
const [caFile, chainFile, keyFile, name] = rest.slice(2);
const hostname = "127.0.0.1";

/** One connection between the two ends and what was read from it and not yet used. */
class Link {
  readonly #conn: Deno.Conn;
  #buffer = new Uint8Array(SMALLEST_BYTES);
  #at = 0;
  #end = 0;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /** Whether a session begins; false when the other end has gone. */
  begins(): Promise<boolean> {
    return this.#has(HEADER_BYTES);
  }

  async sendFrom(source: Deno.TcpConn): Promise<void> {
    let buffer = new Uint8Array(SMALLEST_BYTES);
    for (;;) {
      const count = await source.read(buffer.subarray(HEADER_BYTES));
      if (count === null) break;
      new DataView(buffer.buffer).setUint32(0, count);
      await writeAll(this.#conn, buffer.subarray(0, HEADER_BYTES + count));
      if (HEADER_BYTES + count === buffer.length && count < LARGEST_BYTES) buffer = new Uint8Array(buffer.length * 4);
    }
    await writeAll(this.#conn, END);
  }

  async deliverTo(sink: Deno.TcpConn): Promise<void> {
    while (await this.#has(HEADER_BYTES)) {
      let left = new DataView(this.#buffer.buffer).getUint32(this.#at);
      this.#at += HEADER_BYTES;
      if (left === 0) return await sink.closeWrite();
      while (left > 0 && await this.#has(1)) {
        const part = this.#buffer.subarray(this.#at, Math.min(this.#end, this.#at + left));
        await writeAll(sink, part);
        this.#at += part.length;
        left -= part.length;
      }
    }
    throw new Error("the link ended");
  }

  async #has(bytes: number): Promise<boolean> {
    while (this.#end - this.#at < bytes) {
      const full = this.#at > 0 && this.#end === this.#buffer.length && this.#end < LARGEST_BYTES;
      const larger = full ? new Uint8Array(this.#buffer.length * 4) : this.#buffer;
      larger.set(this.#buffer.subarray(this.#at, this.#end));
      this.#end -= this.#at;
      this.#at = 0;
      this.#buffer = larger;
      const count = await this.#conn.read(this.#buffer.subarray(this.#end));
      if (count === null) return false;
      this.#end += count;
    }
    return true;
  }
}

async function dialLink(): Promise<Link> {
  const conn = await Deno.connect({ hostname, port: next });
  conn.setNoDelay(true);
  if (caFile === undefined) return new Link(conn);
  const caCerts = [await Deno.readTextFile(caFile)];
  return new Link(await Deno.startTls(conn, { hostname: name!, caCerts }));
}

/** One session over a link; true when the link can carry another. */
async function join(socket: Deno.TcpConn, link: Link): Promise<boolean> {
  try {
    socket.setNoDelay(true);
    await Promise.all([link.sendFrom(socket), link.deliverTo(socket)]);
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}

async function near(): Promise<void> {
  const idle: Link[] = [];
  const serve = async (visitor: Deno.TcpConn) => {
    const link = idle.pop() ?? await dialLink();
    if (await join(visitor, link)) idle.push(link);
  };
  for await (const visitor of Deno.listen({ hostname, port })) void serve(visitor);
}

async function far(): Promise<void> {
  const serve = async (conn: Deno.TcpConn | Deno.TlsConn) => {
    if ("setNoDelay" in conn) conn.setNoDelay(true);
    const link = new Link(conn);
    while (await link.begins() && await join(await Deno.connect({ hostname, port: next }), link));
    conn.close();
  };
  const listener = chainFile === undefined ? Deno.listen({ hostname, port }) : Deno.listenTls({
    hostname,
    port,
    cert: await Deno.readTextFile(chainFile),
    key: await Deno.readTextFile(keyFile!),
  });
  for await (const conn of listener) void serve(conn).catch(() => {});
}

await (role === "near" ? near() : far());
