/**
 * A TLS listener that stays on one port while what listens there changes: Deno's own TLS with one certificate or the
 * next, or `node:tls` while too many handshakes are unfinished.
 *
 * @module
 */
import { formatAddress } from "../../address/ip.ts";
import { badCertificate, toNodePassError } from "../error_map.ts";
import type { ListenOptions, ServerCertificate, SocketAddress, TlsConn, TlsListener } from "../types.ts";
import { openOn } from "../wildcard.ts";
import { UnfinishedHandshakes, unfinishedLimit } from "./unfinished_handshakes.ts";
import { denoAddress, denoListenOptions } from "./net.ts";
import { DenoTlsConn } from "./tls_conn.ts";

/** One thing that listens on the port. */
interface Listening {
  readonly local: SocketAddress;
  accept(): Promise<TlsConn | null>;
  /** Resolves when the port is free again, with the connections that nobody accepted. */
  stop(): Promise<readonly TlsConn[]>;
}

/** Listens with a certificate; rejects with the platform's error. */
export async function openDenoTlsListener(
  options: ListenOptions,
  certificate: ServerCertificate,
): Promise<DenoTlsListener> {
  checkCertificate(certificate);
  const unfinished = new UnfinishedHandshakes(() => listener?.unfinishedChanged());
  let listener: DenoTlsListener | null = null;
  const first = await openOn(
    options.host,
    (host) => listenNative({ ...options, host }, certificate, unfinished),
  );
  listener = new DenoTlsListener(first, certificate, unfinished, options.shared ?? false);
  return listener;
}

/** See the module. */
export class DenoTlsListener implements TlsListener {
  readonly local: SocketAddress;
  readonly #unfinished: UnfinishedHandshakes;
  readonly #shared: boolean;
  readonly #leftOver: TlsConn[] = [];
  /** null between two listeners, and after the second could not be opened: `accept` tries again. */
  #current: Listening | null;
  #opening: Promise<void> | null = null;
  #replacing: Promise<void> = Promise.resolve();
  #certificate: ServerCertificate;
  #native = true;
  #closed = false;

  /** @param shared other threads listen on the port too */
  constructor(first: Listening, certificate: ServerCertificate, unfinished: UnfinishedHandshakes, shared: boolean) {
    this.#shared = shared;
    this.#current = first;
    this.#certificate = certificate;
    this.#unfinished = unfinished;
    this.local = first.local;
  }

  async accept(): Promise<TlsConn | null> {
    while (!this.#closed) {
      const left = this.#leftOver.shift();
      if (left !== undefined) return left;
      const current = this.#current;
      if (current === null) {
        await this.#open();
        continue;
      }
      try {
        const conn = await current.accept();
        if (conn !== null) return conn;
      } catch (error) {
        // A listener that was replaced fails its pending accept: the next one goes on.
        if (current === this.#current) throw toNodePassError(error, `Cannot accept on ${formatAddress(this.local)}`);
      }
    }
    return null;
  }

  /** Native listening takes its certificate once: established connections stay, the port is opened again. */
  async setCertificate(certificate: ServerCertificate): Promise<void> {
    checkCertificate(certificate);
    this.#certificate = certificate;
    await this.#replace();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    void this.#stopCurrent();
    for (const conn of this.#leftOver.splice(0)) conn.close();
  }

  /** Leaves native TLS when too many of its handshakes are unfinished, and comes back when they are gone. */
  unfinishedChanged(): void {
    const native = this.#native ? this.#unfinished.count < unfinishedLimit : this.#unfinished.count === 0;
    if (native === this.#native || this.#closed) return;
    this.#native = native;
    // A failure shows in the next accept, which opens again.
    this.#replace().catch(() => {});
  }

  #replace(): Promise<void> {
    const replaced = this.#replacing.then(async () => {
      await this.#stopCurrent();
      await this.#open();
    });
    this.#replacing = replaced.catch(() => {});
    return replaced;
  }

  async #stopCurrent(): Promise<void> {
    const current = this.#current;
    this.#current = null;
    const left = await current?.stop() ?? [];
    if (this.#closed) { for (const conn of left) conn.close(); }
    else this.#leftOver.push(...left);
  }

  #open(): Promise<void> {
    this.#opening ??= this.#openNow().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  async #openNow(): Promise<void> {
    if (this.#closed || this.#current !== null) return;
    try {
      const options = { ...this.local, shared: this.#shared };
      const current = this.#native
        ? listenNative(options, this.#certificate, this.#unfinished)
        : await (await import("../node/tls_listener.ts")).openNodeTlsListener(options, this.#certificate);
      this.#current = current;
      if (this.#closed) await this.#stopCurrent();
    } catch (error) {
      throw toNodePassError(error, `Cannot listen on ${formatAddress(this.local)}`);
    }
  }
}

function listenNative(
  options: ListenOptions,
  certificate: ServerCertificate,
  unfinished: UnfinishedHandshakes,
): Listening {
  const listener = Deno.listenTls({
    ...denoListenOptions(options, options.host),
    cert: certificate.chainPem,
    key: certificate.keyPem,
  });
  let stopped = false;
  let pending: Promise<unknown> = Promise.resolve();
  return {
    local: denoAddress(listener.addr),
    async accept() {
      if (stopped) return null;
      const accepted = listener.accept();
      pending = accepted;
      return new DenoTlsConn(await accepted, unfinished);
    },
    async stop() {
      if (!stopped) listener.close();
      stopped = true;
      // The descriptor lives as long as the accept that waits on it.
      await pending.catch(() => {});
      return [];
    },
  };
}

/** Throws for a certificate that does not work, while the old one still listens. */
function checkCertificate({ chainPem, keyPem }: ServerCertificate): void {
  try {
    Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert: chainPem, key: keyPem }).close();
  } catch (error) {
    throw badCertificate(error);
  }
}
