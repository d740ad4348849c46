/**
 * A server as the Go program is one.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { randomBytes, X509Certificate } from "node:crypto";
import type net from "node:net";
import { Bell } from "./bell.ts";
import { CONTROL_ID, type PeerTerms } from "./dialect.ts";
import { openEntry, type PeerEntry } from "./entry.ts";
import { Generation, type PeerManner } from "./generation.ts";
import { answerRequest, type Decision } from "./handshake.ts";
import type { PeerLink } from "./links.ts";
import { listenOn, type PeerListener, secureAsServer } from "./sockets.ts";

/** Options of {@linkcode goServer}. */
export interface GoServerOptions extends PeerManner {
  readonly key: string;
  readonly flow: "reverse" | "forward";
  /** @default 0 */
  readonly tls?: 0 | 1 | 2;
  /** What its answer says about the transport. @default "0" */
  readonly type?: string;
  /** @default 1024 */
  readonly max?: number;
  /** Needed for tls 1 and 2. */
  readonly certificate?: { readonly chainPem: string; readonly keyPem: string };
  /** Handshakes run inside TLS, as on port 443. @default false */
  readonly https?: boolean;
  /** Where it dials, in forward flow. */
  readonly target?: { readonly host: string; readonly port: number };
  /** @default a free one */
  readonly port?: number;
  /** @default a free one */
  readonly entryPort?: number;
  /** Ids are written this long after a link was accepted. @default 0 */
  readonly idMs?: number;
  /** Which of the first links after a handshake is the control connection. @default 0, the first */
  readonly controlAt?: number;
}

/** Starts one. */
export async function goServer(options: GoServerOptions): Promise<GoServer> {
  const server = new GoServer(options);
  await server.start();
  return server;
}

/** See the module. */
export class GoServer implements AsyncDisposable {
  /** Requests of all handshakes, with their statuses. */
  readonly requests: Decision[] = [];
  /** Generations so far, the last one is the current one. */
  readonly generations: Generation[] = [];
  /** Addresses whose links were closed because another client is served. */
  readonly refused: string[] = [];
  /** Links that were closed because there were `max`. */
  surplus = 0;
  readonly #options: GoServerOptions;
  readonly #terms: PeerTerms;
  readonly #sockets = new Set<net.Socket>();
  readonly #bell = new Bell();
  readonly #closing = new Bell();
  #listener!: PeerListener;
  #entry: PeerEntry | null = null;
  /** Requests that are being read. */
  readonly #waiting: Set<net.Socket> = new Set();
  /** Links that came before the control connection. */
  readonly #early: PeerLink[] = [];
  #client: string | null = null;
  #patience: ReturnType<typeof setTimeout> | undefined;
  #accepted = 0;
  #current: Generation | null = null;

  constructor(options: GoServerOptions) {
    const { flow, max = 1_024, tls = 0, type = "0" } = options;
    this.#options = options;
    this.#terms = { flow: flow === "reverse" ? "-" : "+", max, tls: String(tls) as PeerTerms["tls"], type };
  }

  async start(): Promise<void> {
    const { port = 0, entryPort = 0, flow } = this.#options;
    this.#listener = await listenOn("127.0.0.1", port, (socket) => void this.#take(socket));
    if (flow === "forward") return;
    this.#entry = await openEntry({
      tcp: (visitor) => void this.#whenServing((generation) => generation.serveStream(visitor)),
      udp: (source) => void this.#whenServing((generation) => generation.serveSource(source)),
    }, entryPort);
  }

  get address(): { host: string; port: number } {
    return { host: this.#listener.host, port: this.#listener.port };
  }

  /** Where visitors arrive. */
  get entry(): PeerEntry {
    if (this.#entry === null) throw new Error("No visitors arrive at a server in forward flow");
    return this.#entry;
  }

  /** The generation number `index`, as soon as it is there. */
  async generation(index: number, ms = 10_000): Promise<Generation> {
    const found = await this.#bell.until(() => this.generations[index], ms);
    if (found !== null) return found;
    throw new Error(`No client came ${index + 1} times within ${ms} ms`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#patience);
    this.#closing.ring();
    this.#current?.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#bell.ring();
    await Promise.all([this.#listener.close(), this.#entry?.close()]);
  }

  async #take(socket: net.Socket): Promise<void> {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    try {
      await (this.#client === null ? this.#answer(socket) : this.#welcome(socket));
    } catch {
      socket.destroy();
    }
  }

  /** While nobody is served, every connection is a request. */
  async #answer(accepted: net.Socket): Promise<void> {
    const { https = false, certificate } = this.#options;
    const socket = https ? await secureAsServer(accepted, { certificate: certificate! }) : accepted;
    this.#waiting.add(socket);
    const decision = await answerRequest(socket, this.#options.key, this.#terms).finally(() => {
      this.#waiting.delete(socket);
    });
    this.requests.push(decision);
    if (decision.status !== 200 || this.#client !== null) return;
    this.#client = socket.remoteAddress!;
    this.#accepted = 0;
    // Whoever asks and never comes is forgotten.
    this.#patience = setTimeout(() => this.#client = this.#current === null ? null : this.#client, 5_000);
    // The HTTP server is shut down with what it still holds.
    for (const other of this.#waiting) other.destroy();
  }

  async #welcome(accepted: net.Socket): Promise<void> {
    if (accepted.remoteAddress !== this.#client) {
      this.refused.push(accepted.remoteAddress ?? "?");
      return void accepted.destroy();
    }
    const number = this.#accepted++;
    const { tls = 0, certificate, idMs = 0, controlAt = 0, max = 1_024 } = this.#options;
    const socket = tls === 0 ? accepted : await secureAsServer(accepted, { certificate: certificate! });
    const isControl = this.#current === null && number === controlAt;
    if ((this.#current?.links.size ?? 0) >= max) {
      this.surplus++;
      return void socket.destroy();
    }
    if (isControl) {
      socket.write(Buffer.from(CONTROL_ID, "hex"));
      return this.#begin(socket);
    }
    const id = randomBytes(4).toString("hex");
    const name = (): void => void socket.write(Buffer.from(id, "hex"));
    // The id may come late; the server counts on the link from now on.
    const named = idMs === 0 ? name() : this.#closing.next(idMs).then(name);
    const link = { id, socket, ...(named === undefined ? {} : { named }) };
    if (this.#current === null) this.#early.push(link);
    else this.#current.links.add(link);
  }

  #begin(control: net.Socket): void {
    const { certificate, key, target = null, flow } = this.#options;
    const der = certificate === undefined ? null : new X509Certificate(certificate.chainPem).raw;
    const generation = new Generation(control, {
      ...this.#options,
      key,
      terms: this.#terms,
      accepts: flow === "reverse",
      target,
      certificateOf: () => der,
    });
    for (const link of this.#early.splice(0)) generation.links.add(link);
    clearTimeout(this.#patience);
    this.#current = generation;
    this.generations.push(generation);
    void generation.control.finished.then(() => {
      if (this.#current !== generation) return;
      this.#current = null;
      this.#client = null;
    });
    this.#bell.ring();
  }

  /** Visitors wait for a client, at most 5 s. */
  async #whenServing(serve: (generation: Generation) => Promise<void>): Promise<void> {
    if (this.#current === null) await this.#bell.next(5_000);
    if (this.#current !== null) await serve(this.#current);
  }
}
