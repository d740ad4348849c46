/**
 * Visitors of one UDP port: a session per visitor address, and a path for each that takes its datagrams further.
 *
 * @module
 */
import { formatAddress, normalizeIp } from "../address/ip.ts";
import { Access } from "../relay/access.ts";
import { datagramBuffers, LARGEST_DATAGRAM } from "../relay/datagram_buffers.ts";
import { DatagramSender } from "../relay/datagram_sender.ts";
import { DatagramSession, type DatagramSessionEnd, DatagramSessions } from "../relay/datagram_sessions.ts";
import type { TokenBucket } from "../relay/token_bucket.ts";
import type { Datagram, SocketAddress } from "../runtime/types.ts";
import type { TunnelContext } from "./context.ts";
import { logSessionEnd, logSessionStart } from "./entry_log.ts";
import { RetryPause } from "./entry_pause.ts";
import type { Session } from "./session_ledger.ts";

/** Where the datagrams of one visitor go. */
export interface UdpPath {
  /** Takes one datagram; `bytes` is only valid during the call. Drops instead of waiting. */
  send(bytes: Uint8Array): void;
  /** The session is over. Called once. */
  close(): void;
}

/** Gives visitors of a UDP port a path. */
export interface UdpHandler {
  /** The path counts the bytes at its own socket, so the entry does not. @default false */
  readonly pathMeters?: boolean;
  /**
   * Opens the path of a new visitor; null (counted by the handler) turns the visitor away. Must not throw: a path that
   * cannot go on calls `session.cut()`.
   *
   * @param reply sends one datagram to the visitor; `bytes` is only read during the call
   */
  open(visitor: SocketAddress, session: Session, reply: (bytes: Uint8Array) => void): UdpPath | null;
}

/** One visitor address. */
class VisitorSession extends DatagramSession<string> {
  path: UdpPath | null = null;
  /** The object that came with its last datagram. */
  address: SocketAddress;
  readonly session: Session;
  override readonly onEnd: (reason: DatagramSessionEnd) => void;

  constructor(
    key: string,
    address: SocketAddress,
    session: Session,
    onEnd: (visitor: VisitorSession, reason: DatagramSessionEnd) => void,
  ) {
    super(key);
    this.address = address;
    this.session = session;
    this.onEnd = (reason) => onEnd(this, reason);
  }
}

/** One bound UDP port. */
export class UdpEntry {
  /** Resolves once the socket is free. */
  readonly finished: Promise<void>;
  readonly #context: TunnelContext;
  readonly #socket: Datagram;
  readonly #handler: UdpHandler;
  readonly #access: Access;
  readonly #sender: DatagramSender;
  readonly #sessions: DatagramSessions<string, VisitorSession>;
  readonly #pause: RetryPause;
  readonly #inbound: TokenBucket | null;
  readonly #largest: number;
  /** Whose datagram came last: the next one is mostly from there, too. */
  #last: VisitorSession | null = null;
  #closing = false;
  #closed = false;

  constructor(context: TunnelContext, socket: Datagram, handler: UdpHandler) {
    this.#context = context;
    this.#socket = socket;
    this.#handler = handler;
    this.#access = new Access(context.config.allow, context.config.deny);
    this.#inbound = handler.pathMeters === true ? null : context.inbound;
    this.#largest = context.config.settings.udpBufferBytes;
    this.#sender = new DatagramSender(socket, {
      bucket: handler.pathMeters === true ? null : context.outbound,
      onDrop: () => context.ledger.reject("overflow"),
    });
    const { config } = context;
    this.#sessions = new DatagramSessions({
      clock: context.runtime.clock,
      expiryMs: config.readMs > 0 ? config.readMs : config.settings.udpSessionMs,
      onTick: (run) => context.sweeper.onTick(run),
    });
    this.#pause = new RetryPause(context);
    this.finished = this.#receive();
  }

  get local(): SocketAddress {
    return this.#socket.local;
  }

  /** Takes no new visitor; the socket closes with the last session, silent ones end at once. */
  close(): void {
    this.#closing = true;
    this.#sessions.drain();
    this.#closeWhenUnused();
  }

  async #receive(): Promise<void> {
    const room = datagramBuffers.take(LARGEST_DATAGRAM);
    while (!this.#closed) {
      try {
        await this.#socket.receiveAll(room, this.#take);
      } catch (error) {
        if (!this.#closed) await this.#pause.after(error, "Cannot receive datagrams of visitors");
      }
    }
    datagramBuffers.release(room);
  }

  readonly #take = (bytes: Uint8Array, from: SocketAddress): void | Promise<void> => {
    if (bytes.length > this.#largest) {
      this.#context.ledger.reject("overflow");
      return;
    }
    const wait = this.#inbound?.take(bytes.length, this);
    if (wait !== undefined) return wait.then(() => this.#pass(bytes, from));
    this.#pass(bytes, from);
  };

  #pass(bytes: Uint8Array, from: SocketAddress): void {
    const visitor = this.#visitorAt(from);
    if (visitor === null) return;
    if (this.#handler.pathMeters !== true) visitor.session.meter.received(bytes.length);
    visitor.path?.send(bytes);
  }

  #visitorAt(from: SocketAddress): VisitorSession | null {
    let visitor = this.#last;
    if (visitor === null || visitor.list === null || visitor.address !== from) {
      const key = `${from.host} ${from.port}`;
      const known = this.#sessions.get(key);
      if (known === undefined) return this.#last = this.#open(key, from);
      visitor = this.#last = known;
      visitor.address = from;
    }
    this.#sessions.heard(visitor);
    return visitor;
  }

  #open(key: string, from: SocketAddress): VisitorSession | null {
    if (this.#closing) return null;
    const context = this.#context;
    const { ledger } = context;
    const address = { host: normalizeIp(from.host), port: from.port };
    if (!this.#access.permits(address.host)) {
      ledger.reject("denied");
      return null;
    }
    if (ledger.full && this.#sessions.evict()) ledger.reject("slot");
    const session = ledger.open("udp", formatAddress(address));
    if (session === null) return null;
    const visitor = new VisitorSession(key, from, session, (ended, reason) => this.#ended(ended, reason));
    session.cut = () => this.#sessions.end(visitor, "cut");
    this.#sessions.add(visitor);
    logSessionStart(context, session);
    const path = this.#handler.open(address, session, (bytes) => this.#reply(visitor, bytes));
    if (visitor.list === null || path === null) {
      path?.close();
      session.cut();
      return null;
    }
    visitor.path = path;
    return visitor;
  }

  #reply(visitor: VisitorSession, bytes: Uint8Array): void {
    if (visitor.list === null) return;
    this.#sessions.answered(visitor);
    const sent = this.#sender.send(bytes, visitor.address);
    if (sent && this.#handler.pathMeters !== true) visitor.session.meter.sent(bytes.length);
  }

  #ended(visitor: VisitorSession, reason: DatagramSessionEnd): void {
    visitor.path?.close();
    visitor.session.close();
    logSessionEnd(this.#context, visitor.session, reason);
    this.#closeWhenUnused();
  }

  #closeWhenUnused(): void {
    if (!this.#closing || this.#closed || this.#sessions.size > 0) return;
    this.#closed = true;
    this.#pause.cancel();
    this.#context.inbound?.forget(this);
    this.#sender.close();
    this.#socket.close();
  }
}
