/**
 * A client as the Go program is one.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type net from "node:net";
import type tls from "node:tls";
import { Bell } from "./bell.ts";
import { CONTROL_ID, type PeerTerms } from "./dialect.ts";
import { openEntry, type PeerEntry } from "./entry.ts";
import { Generation, type PeerManner } from "./generation.ts";
import { askForTerms, requestText } from "./handshake.ts";
import { connectTo, readExactly, secureAsClient } from "./sockets.ts";

/** Options of {@linkcode goClient}. */
export interface GoClientOptions extends PeerManner {
  readonly key: string;
  /** The tunnel port of the server. */
  readonly server: { readonly host: string; readonly port: number };
  /** Where it dials, in reverse flow. */
  readonly target?: { readonly host: string; readonly port: number };
  /** Links that it keeps. @default 4 */
  readonly min?: number;
  /** Name of the server. @default "none" */
  readonly name?: string;
  /** The handshake runs inside TLS, as on port 443. @default false */
  readonly https?: boolean;
  /** Trusted with tls 2. */
  readonly ca?: string;
  /** Time between looks at the pool. @default 100 */
  readonly growMs?: number;
  /** Time between attempts. @default 300 */
  readonly retryMs?: number;
  /** Runs before each handshake: probes and wrong tokens, say. */
  readonly before?: (server: { readonly host: string; readonly port: number }) => Promise<void>;
}

/** Starts one and waits until it has a control connection, unless that takes longer than `ms`. */
export async function goClient(options: GoClientOptions, ms = 10_000): Promise<GoClient> {
  const client = new GoClient(options);
  void client.run();
  try {
    await client.generation(0, ms);
    return client;
  } catch (error) {
    await client[Symbol.asyncDispose]();
    throw new Error(`${(error as Error).message}: ${client.errors.join(", ")}`);
  }
}

/** See the module. */
export class GoClient implements AsyncDisposable {
  /** What went wrong so far. */
  readonly errors: string[] = [];
  readonly generations: Generation[] = [];
  /** Terms of the last handshake. */
  terms: PeerTerms | null = null;
  readonly #options: GoClientOptions;
  readonly #bell = new Bell();
  readonly #sockets = new Set<net.Socket>();
  #entry: PeerEntry | null = null;
  #closed = false;
  #done: Promise<void> = Promise.resolve();

  constructor(options: GoClientOptions) {
    this.#options = options;
  }

  /** Where visitors arrive, in forward flow. */
  get entry(): PeerEntry {
    if (this.#entry === null) throw new Error("No visitors arrive at a client in reverse flow");
    return this.#entry;
  }

  /** The generation number `index`, as soon as it is there. */
  async generation(index: number, ms = 10_000): Promise<Generation> {
    const found = await this.#bell.until(() => this.generations[index], ms);
    if (found !== null) return found;
    throw new Error(`Connected ${this.generations.length} times in ${ms} ms`);
  }

  /** Connects, again and again, until it is closed. */
  run(): Promise<void> {
    return this.#done = this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.generations.at(-1)?.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#bell.ring();
    await this.#done;
    await this.#entry?.close();
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      try {
        await this.#once();
      } catch (error) {
        this.errors.push((error as Error).message);
      }
      if (!this.#closed) await this.#bell.next(this.#options.retryMs ?? 300);
    }
  }

  async #once(): Promise<void> {
    const { key, server, before, name = "none", min = 4, growMs = 100, https = false, target = null } = this.#options;
    await before?.(server);
    const plain = this.#own(await connectTo(server));
    // Go does not look at this certificate.
    const socket = https ? await secureAsClient(plain, { name }) : plain;
    const terms = await askForTerms(socket, requestText(key, { host: name }));
    this.terms = terms;
    if (terms.type !== "0") throw new Error(`Server announces type ${terms.type}`);
    const accepts = terms.flow === "+";
    if (accepts) await this.#openEntry();
    // As many as it keeps, at once; one of them is the control connection.
    const count = Math.max(2, Math.min(min, terms.max));
    const first = await Promise.all(Array.from({ length: count }, () => this.#link(terms)));
    const control = first.find((link) => link?.id === CONTROL_ID);
    if (control == null) {
      for (const link of first) link?.socket.destroy();
      throw new Error(`No control connection among ${first.map((link) => link?.id ?? "closed").join(" ")}`);
    }
    const certificateOf = (link: net.Socket): Buffer | null =>
      terms.tls === "0" ? null : (link as tls.TLSSocket).getPeerCertificate(true).raw ?? null;
    const generation = new Generation(control.socket, {
      ...this.#options,
      terms,
      accepts,
      target,
      certificateOf,
    });
    for (const link of first) if (link !== null && link !== control) generation.links.add(link);
    this.generations.push(generation);
    this.#bell.ring();
    let over = this.#closed;
    void generation.control.finished.then((reason) => {
      over = true;
      this.errors.push(reason);
      this.#bell.ring();
    });
    if (over) generation.close();
    while (!over) {
      await this.#bell.next(growMs);
      const missing = Math.max(0, Math.min(min, terms.max) - generation.links.size);
      await Promise.all(Array.from({ length: over ? 0 : missing }, async () => {
        const link = await this.#link(terms);
        if (link !== null) generation.links.add(link);
      }));
    }
  }

  /** Opens one link; null when the server closed it. */
  async #link(terms: PeerTerms): Promise<{ id: string; socket: net.Socket } | null> {
    try {
      const { server, name = "none", ca } = this.#options;
      const plain = this.#own(await connectTo(server));
      const trust = terms.tls === "2" ? { ca: ca ?? "" } : {};
      const socket = terms.tls === "0" ? plain : await secureAsClient(plain, { name, ...trust });
      const id = await readExactly(socket, 4, 5_000);
      if (id === null) {
        socket.destroy();
        return null;
      }
      return { id: id.toString("hex"), socket };
    } catch (error) {
      if (!this.#closed) this.errors.push((error as Error).message);
      return null;
    }
  }

  async #openEntry(): Promise<void> {
    this.#entry ??= await openEntry({
      tcp: (visitor) => void this.generations.at(-1)?.serveStream(visitor),
      udp: (source) => void this.generations.at(-1)?.serveSource(source),
    });
  }

  #own(socket: net.Socket): net.Socket {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    return socket;
  }
}
