/**
 * Batched UDP system calls for the load generator: one call per batch leaves the processor to what is measured.
 *
 * Only the benchmark uses this; the product needs no foreign functions. Structures are those of 64-bit Linux.
 *
 * @module
 */

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
/** Returns with what is there once one datagram came. */
const MSG_WAITFORONE = 0x10000;
const MMSGHDR_BYTES = 64;
const LENGTH_OFFSET = 56;

const symbols = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  sendmmsg: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  recvmmsg: { parameters: ["i32", "buffer", "u32", "i32", "pointer"], result: "i32" },
  memcmp: { parameters: ["buffer", "buffer", "usize"], result: "i32" },
  usleep: { parameters: ["u32"], result: "i32" },
} as const;
const libc = Deno.dlopen("libc.so.6", symbols).symbols;

/** Sleeps this thread. */
export function sleepMicroseconds(microseconds: number): void {
  libc.usleep(microseconds);
}

/** Whether both start with the same `bytes` bytes. */
export function sameBytes(a: Uint8Array<ArrayBuffer>, b: Uint8Array<ArrayBuffer>, bytes: number): boolean {
  return libc.memcmp(a, b, BigInt(bytes)) === 0;
}

/** A blocking UDP socket on 127.0.0.1 with a batch of message slots. */
export class BatchSocket {
  /** The slots, one after another. */
  readonly data: Uint8Array<ArrayBuffer>;
  readonly #descriptor: number;
  readonly #slotBytes: number;
  readonly #headers: Uint8Array<ArrayBuffer>;
  readonly #headersView: DataView;
  readonly #vectors: DataView;

  constructor(slots: number, slotBytes: number) {
    this.#descriptor = check(libc.socket(AF_INET, SOCK_DGRAM, 0), "socket");
    this.#slotBytes = slotBytes;
    this.data = new Uint8Array(slots * slotBytes);
    this.#headers = new Uint8Array(slots * MMSGHDR_BYTES);
    this.#headersView = new DataView(this.#headers.buffer);
    const vectors = new Uint8Array(slots * 16);
    this.#vectors = new DataView(vectors.buffer);
    const dataAt = Deno.UnsafePointer.value(Deno.UnsafePointer.of(this.data));
    const vectorsAt = Deno.UnsafePointer.value(Deno.UnsafePointer.of(vectors));
    for (let i = 0; i < slots; i++) {
      this.#vectors.setBigUint64(i * 16, BigInt(dataAt) + BigInt(i * slotBytes), true);
      this.#headersView.setBigUint64(i * MMSGHDR_BYTES + 16, BigInt(vectorsAt) + BigInt(i * 16), true);
      this.#headersView.setBigUint64(i * MMSGHDR_BYTES + 24, 1n, true);
      this.setLength(i, slotBytes);
    }
    this.#option(SO_RCVBUF, int(4 << 20));
    this.#option(SO_SNDBUF, int(4 << 20));
  }

  bind(port: number): void {
    check(libc.bind(this.#descriptor, address(port), 16), "bind");
  }

  connect(port: number): void {
    check(libc.connect(this.#descriptor, address(port), 16), "connect");
  }

  /** `receive` gives up after this time. */
  setTimeout(ms: number): void {
    const value = new BigInt64Array([BigInt(Math.floor(ms / 1000)), BigInt(ms % 1000) * 1000n]);
    this.#option(SO_RCVTIMEO, new Uint8Array(value.buffer));
  }

  /** Bytes that the slot sends. */
  setLength(slot: number, bytes: number): void {
    this.#vectors.setBigUint64(slot * 16 + 8, BigInt(bytes), true);
  }

  /** Bytes that the slot received. */
  lengthOf(slot: number): number {
    return this.#headersView.getUint32(slot * MMSGHDR_BYTES + LENGTH_OFFSET, true);
  }

  /** Sends the first `count` slots; how many were sent. A refused datagram (nobody listens yet) counts as sent. */
  send(count: number): number {
    const sent = libc.sendmmsg(this.#descriptor, this.#headers, count, 0);
    return sent < 0 ? 1 : sent;
  }

  /** Waits for datagrams; how many slots were filled, 0 after the timeout. */
  receive(): number {
    const count = this.data.length / this.#slotBytes;
    const received = libc.recvmmsg(this.#descriptor, this.#headers, count, MSG_WAITFORONE, null);
    return received < 0 ? 0 : received;
  }

  #option(name: number, value: Uint8Array<ArrayBuffer>): void {
    check(libc.setsockopt(this.#descriptor, SOL_SOCKET, name, value, value.length), "setsockopt");
  }
}

function address(port: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array([AF_INET, 0, port >> 8, port & 0xff, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
}

function int(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Int32Array([value]).buffer);
}

function check(result: number, call: string): number {
  if (result < 0) throw new Error(`${call} failed`);
  return result;
}
