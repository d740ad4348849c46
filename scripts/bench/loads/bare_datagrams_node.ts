/**
 * What Node itself can do with datagrams: `bare_datagrams_node.ts near|far|hop PORT NEXT_PORT`.
 *
 * `near` receives datagrams, takes all that are there together and writes them to a connection, each behind two bytes of
 * length; `far` reads them and sends each on. `hop` receives and sends, with nothing between.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createSocket, type Socket } from "node:dgram";
import { connect, createServer } from "node:net";
import process from "node:process";

const [role, ...ports] = process.argv.slice(2);
const [port, next] = ports.map(Number) as [number, number];
const host = "127.0.0.1";
const HEADER_BYTES = 2;
const BATCH_BYTES = 256 * 1024;
const FULL_BYTES = 64 * 1024;
const KERNEL_BYTES = 4 * 1024 * 1024;

function bind(at: number, then: (socket: Socket) => void): void {
  const socket = createSocket("udp4");
  socket.on("error", () => {});
  socket.bind(at, host, () => {
    socket.setRecvBufferSize(KERNEL_BYTES);
    socket.setSendBufferSize(KERNEL_BYTES);
    then(socket);
  });
}

/** A socket that sends to the next port. */
function exit(then: (socket: Socket) => void): void {
  bind(0, (socket) => socket.connect(next, host, () => then(socket)));
}

function hop(): void {
  exit((out) => bind(port, (entry) => entry.on("message", (bytes) => out.send(bytes))));
}

function near(): void {
  const conn = connect({ host, port: next, noDelay: true });
  let [batch, spare] = [Buffer.alloc(BATCH_BYTES), Buffer.alloc(BATCH_BYTES)];
  let filled = 0;
  let writing = false;
  let scheduled = false;
  const flush = (): void => {
    scheduled = false;
    if (writing || filled === 0) return;
    writing = true;
    const full = batch.subarray(0, filled);
    [batch, spare] = [spare, batch];
    filled = 0;
    conn.write(full, () => {
      writing = false;
      flush();
    });
  };
  bind(port, (entry) =>
    entry.on("message", (bytes) => {
      if (filled + HEADER_BYTES + bytes.length > BATCH_BYTES) return;
      batch.writeUInt16BE(bytes.length, filled);
      batch.set(bytes, filled + HEADER_BYTES);
      filled += HEADER_BYTES + bytes.length;
      if (filled >= FULL_BYTES) flush();
      else if (!scheduled) {
        scheduled = true;
        setImmediate(flush);
      }
    }));
}

function far(): void {
  exit((out) => {
    const server = createServer((conn) => {
      let rest = Buffer.alloc(0);
      conn.on("data", (chunk) => {
        const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
        let at = 0;
        while (bytes.length - at >= HEADER_BYTES) {
          const end = at + HEADER_BYTES + bytes.readUInt16BE(at);
          if (end > bytes.length) break;
          out.send(bytes.subarray(at + HEADER_BYTES, end));
          at = end;
        }
        rest = bytes.subarray(at);
      });
    });
    server.listen(port, host);
  });
}

if (role === "near") near();
else if (role === "far") far();
else hop();
