/**
 * TCP on Deno's native sockets.
 *
 * @module
 */
import { formatAddress } from "../../address/ip.ts";
import { Deadline } from "../deadline.ts";
import { toNodePassError } from "../error_map.ts";
import type { Conn, ConnectOptions, Listener, ListenOptions, Net, SocketAddress } from "../types.ts";
import { openOn, socketAddress } from "../wildcard.ts";
import { lateConnect } from "./node_parts.ts";

/** TCP on Deno. */
export const denoNet: Net = { connect, listen };

async function connect(options: ConnectOptions): Promise<Conn> {
  // `Deno.connect` cannot choose the source address.
  if (options.localHost !== undefined) return await lateConnect(options);
  const action = `Cannot connect to ${formatAddress(options)}`;
  const deadline = new Deadline(options);
  try {
    return new DenoConn(await openTcp(options, deadline, action));
  } catch (error) {
    throw toNodePassError(error, action);
  } finally {
    deadline.end();
  }
}

/** Connects; rejects with Deno's error, or with the deadline's. */
export async function openTcp(options: ConnectOptions, deadline: Deadline, action: string): Promise<Deno.TcpConn> {
  const { host, port } = options;
  try {
    const conn = await Deno.connect({ hostname: host, port, signal: deadline.signal });
    tune(conn);
    return conn;
  } catch (error) {
    throw deadline.signal.aborted ? deadline.error(action) : error;
  }
}

async function listen(options: ListenOptions): Promise<Listener> {
  try {
    return new DenoListener(
      await openOn(options.host, (hostname) => Deno.listen(denoListenOptions(options, hostname))),
    );
  } catch (error) {
    throw toNodePassError(error, `Cannot listen on ${formatAddress(options)}`);
  }
}

/** Options of `Deno.listen` and `Deno.listenTls`. */
export function denoListenOptions(
  { port, shared = false }: ListenOptions,
  hostname: string,
): { hostname: string; port: number; reusePort?: boolean } {
  return shared ? { hostname, port, reusePort: true } : { hostname, port };
}

function tune(conn: Deno.TcpConn): void {
  try {
    conn.setNoDelay(true);
    conn.setKeepAlive(true);
  } catch {
    // The other side is already gone: the first read says so.
  }
}

/** Deno's address in the product's shape. */
export function denoAddress(address: Deno.Addr): SocketAddress {
  return "hostname" in address ? socketAddress(address.hostname, address.port) : socketAddress("", 0);
}

/** A native connection; reads and writes are the native promises themselves. */
export class DenoConn implements Conn {
  readonly #conn: Deno.Conn;
  #remote: SocketAddress | null = null;
  #closed = false;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  get local(): SocketAddress {
    return denoAddress(this.#conn.localAddr);
  }

  get remote(): SocketAddress {
    return this.#remote ??= denoAddress(this.#conn.remoteAddr);
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#conn.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#conn.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
  }

  /** Deno's sockets have no way to reset. */
  reset(): void {
    this.close();
  }
}

class DenoListener implements Listener {
  readonly local: SocketAddress;
  readonly #listener: Deno.TcpListener;
  #closed = false;

  constructor(listener: Deno.TcpListener) {
    this.#listener = listener;
    this.local = denoAddress(listener.addr);
  }

  async accept(): Promise<Conn | null> {
    if (this.#closed) return null;
    try {
      const conn = await this.#listener.accept();
      tune(conn);
      return new DenoConn(conn);
    } catch (error) {
      if (this.#closed) return null;
      throw toNodePassError(error, `Cannot accept on ${formatAddress(this.local)}`);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
  }
}
