/**
 * Two bare loops with links between them that are used again:
 * `bare_pair_node.ts near|far PORT NEXT_PORT [CA_FILE CHAIN_FILE KEY_FILE NAME]`, with the files inside TLS.
 *
 * On a link each chunk follows its length (four bytes); a length of 0 ends one direction of a session.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import process from "node:process";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";

const HEADER_BYTES = 4;
const END = Buffer.alloc(HEADER_BYTES);
const EMPTY = Buffer.alloc(0);

const [role, ...rest] = process.argv.slice(2);
const [port, next] = rest.slice(0, 2).map(Number) as [number, number];
const [caFile, chainFile, keyFile, servername] = rest.slice(2);
const host = "127.0.0.1";
const tcp = { allowHalfOpen: true, noDelay: true };

/** One connection between the two ends. */
class Link {
  readonly #conn: Socket;
  /** Called when a session begins on a link that has none. */
  readonly #begins: (link: Link) => void;
  #rest: Buffer = EMPTY;
  #left = 0;
  #socket: Socket | null = null;
  #open = 0;
  #ended: () => void = () => {};

  constructor(conn: Socket, begins: (link: Link) => void) {
    this.#conn = conn;
    this.#begins = begins;
    conn.on("data", (chunk: Buffer) => this.#deliver(chunk));
    conn.on("error", () => conn.destroy());
    conn.on("close", () => this.#socket?.destroy());
  }

  /** Carries one session; `ended` is called once both directions are through. */
  carry(socket: Socket, ended: () => void): void {
    this.#socket = socket;
    this.#open = 2;
    this.#ended = ended;
    socket.on("data", (chunk: Buffer) => this.#send(socket, chunk));
    socket.on("end", () => {
      this.#conn.write(END);
      this.#closeOne();
    });
    socket.on("error", () => this.#conn.destroy());
  }

  #send(socket: Socket, chunk: Buffer): void {
    const header = Buffer.allocUnsafe(HEADER_BYTES);
    header.writeUInt32BE(chunk.length);
    this.#conn.cork();
    this.#conn.write(header);
    const more = this.#conn.write(chunk);
    this.#conn.uncork();
    if (more) return;
    socket.pause();
    this.#conn.once("drain", () => socket.resume());
  }

  #deliver(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (bytes.length > 0) {
      if (this.#left > 0) {
        const part = bytes.subarray(0, this.#left);
        this.#left -= part.length;
        bytes = bytes.subarray(part.length);
        this.#pass(part);
        continue;
      }
      if (bytes.length < HEADER_BYTES) break;
      if (this.#socket === null) this.#begins(this);
      this.#left = bytes.readUInt32BE();
      bytes = bytes.subarray(HEADER_BYTES);
      if (this.#left === 0) this.#endSocket();
    }
    this.#rest = bytes;
  }

  #pass(part: Buffer): void {
    const socket = this.#socket!;
    if (socket.write(part)) return;
    this.#conn.pause();
    socket.once("drain", () => this.#conn.resume());
  }

  #endSocket(): void {
    this.#socket!.end();
    this.#closeOne();
  }

  #closeOne(): void {
    if (--this.#open > 0) return;
    this.#socket = null;
    this.#ended();
  }
}

function near(): void {
  const idle: Link[] = [];
  createServer(tcp, (visitor) => {
    const link = idle.pop() ?? new Link(dialLink(), () => {});
    link.carry(visitor, () => idle.push(link));
  }).listen({ host, port, backlog: 4096 });
}

function dialLink(): Socket {
  const conn = connect({ host, port: next, ...tcp });
  if (caFile === undefined) return conn;
  return connectTls({ socket: conn, ca: readFileSync(caFile), servername: servername! });
}

function far(): void {
  const dial = (link: Link) => link.carry(connect({ host, port: next, ...tcp }), () => {});
  const accept = (conn: Socket) => void new Link(conn, dial);
  const server = chainFile === undefined
    ? createServer(tcp, accept)
    : createTlsServer({ ...tcp, cert: readFileSync(chainFile), key: readFileSync(keyFile!) }, accept);
  server.listen({ host, port, backlog: 4096 });
}

if (role === "near") near();
else far();
