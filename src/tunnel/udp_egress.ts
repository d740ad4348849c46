/**
 * Where UDP sessions leave: one socket per session towards its target.
 *
 * @module
 */
import { normalizeIp } from "../address/ip.ts";
import { NodePassError } from "../errors.ts";
import { datagramBuffers, LARGEST_DATAGRAM } from "../relay/datagram_buffers.ts";
import { DatagramSender } from "../relay/datagram_sender.ts";
import { encodeProxyHeader } from "../relay/proxy_header.ts";
import type { Datagram, SocketAddress } from "../runtime/types.ts";
import type { TunnelContext } from "./context.ts";
import type { UdpPath } from "./entry.ts";
import type { Session } from "./session_ledger.ts";
import type { PickedTarget, Targets } from "./targets.ts";

/** Datagrams kept while the target is being resolved. */
const MAX_WAITING = 64;
const MAX_WAITING_BYTES = 256 * 1024;
/** The largest payload of a UDP datagram over IPv4. */
const MAX_PAYLOAD = 65_507;

/**
 * Opens the way of a UDP session to a target, which is chosen and resolved once. Bytes are counted at this socket.
 *
 * When no target can be used, or its socket fails, it calls `session.cut()`, whose owner closes the path.
 *
 * @param reply takes the datagrams of the target; `bytes` is only valid during the call
 */
export function openUdpTarget(
  context: TunnelContext,
  targets: Targets,
  visitor: SocketAddress,
  session: Session,
  reply: (bytes: Uint8Array) => void,
): UdpPath {
  const target = new UdpTarget(context, visitor, session, reply);
  void target.open(targets);
  return target;
}

/** One session's socket. */
class UdpTarget implements UdpPath {
  readonly #context: TunnelContext;
  readonly #visitor: SocketAddress;
  readonly #session: Session;
  readonly #reply: (bytes: Uint8Array) => void;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #picked: PickedTarget | null = null;
  #socket: Datagram | null = null;
  #sender: DatagramSender | null = null;
  #header: Uint8Array | null = null;
  #closed = false;

  constructor(
    context: TunnelContext,
    visitor: SocketAddress,
    session: Session,
    reply: (bytes: Uint8Array) => void,
  ) {
    this.#context = context;
    this.#visitor = visitor;
    this.#session = session;
    this.#reply = reply;
  }

  async open(targets: Targets): Promise<void> {
    const { config, ledger, logger, outbound, runtime } = this.#context;
    try {
      const picked = this.#picked = await targets.pickAddress(this.#visitor);
      if (this.#closed) return picked.release();
      this.#session.target = picked.target;
      const socket = await this.#bind(picked.address);
      if (this.#closed) return socket.close();
      this.#socket = socket;
      if (config.proxy === "v2") this.#header = encodeProxyHeader("v2", "udp", this.#visitor, picked.address);
      this.#sender = new DatagramSender(socket, { bucket: outbound, onDrop: () => ledger.reject("overflow") });
      for (const bytes of this.#waiting.splice(0)) this.send(bytes);
      await this.#receive(socket, picked.address);
    } catch (error) {
      if (this.#closed) return;
      if (this.#socket === null) ledger.reject("dial");
      const reason = runtime.toError(error).message;
      logger.debug("Cannot serve visitor", { visitor: this.#session.visitor, protocol: "udp", reason });
      this.#session.cut();
    }
  }

  send(bytes: Uint8Array): void {
    if (this.#closed) return;
    const sender = this.#sender;
    const address = this.#picked?.address;
    if (sender === null || address === undefined) return this.#wait(bytes);
    let datagram = bytes;
    if (this.#header !== null) {
      const header = this.#header;
      this.#header = null;
      if (header.length + bytes.length > MAX_PAYLOAD) {
        sender.send(header, address);
      } else {
        datagram = new Uint8Array(header.length + bytes.length);
        datagram.set(header);
        datagram.set(bytes, header.length);
      }
    }
    if (sender.send(datagram, address)) this.#session.meter.sent(bytes.length);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting = [];
    this.#picked?.release();
    this.#context.inbound?.forget(this);
    this.#sender?.close();
    this.#socket?.close();
  }

  #wait(bytes: Uint8Array): void {
    if (this.#waiting.length >= MAX_WAITING || this.#waitingBytes + bytes.length > MAX_WAITING_BYTES) {
      this.#context.ledger.reject("overflow");
      return;
    }
    this.#waitingBytes += bytes.length;
    this.#waiting.push(bytes.slice());
  }

  async #bind(address: SocketAddress): Promise<Datagram> {
    const { config: { dialFrom }, runtime } = this.#context;
    const v6 = normalizeIp(address.host).includes(":");
    const any = { host: v6 ? "::" : "0.0.0.0", port: 0, peer: address };
    if (dialFrom === null || dialFrom.includes(":") !== v6) return await runtime.udp.bind(any);
    try {
      return await runtime.udp.bind({ ...any, host: dialFrom });
    } catch (error) {
      // The source address is a wish: the TCP side says once, in the log, that it cannot be had.
      if (!(error instanceof NodePassError) || error.code !== "address_not_available") throw error;
      return await runtime.udp.bind(any);
    }
  }

  async #receive(socket: Datagram, target: SocketAddress): Promise<void> {
    const { config, inbound, ledger } = this.#context;
    const { meter } = this.#session;
    const largest = config.settings.udpBufferBytes;
    const expected = normalizeIp(target.host);
    const pass = (bytes: Uint8Array): void => {
      if (this.#closed) return;
      meter.received(bytes.length);
      this.#reply(bytes);
    };
    const room = datagramBuffers.take(LARGEST_DATAGRAM);
    try {
      await socket.receiveAll(room, (bytes, from): void | Promise<void> => {
        if (from.port !== target.port || (from.host !== expected && normalizeIp(from.host) !== expected)) return;
        if (bytes.length > largest) {
          ledger.reject("overflow");
          return;
        }
        const wait = inbound?.take(bytes.length, this);
        if (wait !== undefined) return wait.then(() => pass(bytes));
        pass(bytes);
      });
    } finally {
      datagramBuffers.release(room);
    }
  }
}
