/**
 * What the peer has from one handshake to the loss of its control connection; the same for both roles.
 *
 * @module
 */
import type net from "node:net";
import { carryDatagrams, carrySource, carryStream } from "./carrying.ts";
import type { Pulse } from "./control.ts";
import { PeerControl } from "./control.ts";
import { fingerprintOf, type PeerSignal, type PeerTerms } from "./dialect.ts";
import { dialDatagrams, type PeerSource } from "./entry.ts";
import { type PeerLink, PeerLinks } from "./links.ts";
import { connectTo } from "./sockets.ts";

/** How a peer may differ from the usual. */
export interface PeerManner {
  readonly pulse?: Pulse;
  /** Time from the start to its `verify`. @default 100 */
  readonly verifyMs?: number;
  /** Fingerprint that it sends in place of the true one. */
  readonly falseFingerprint?: string;
  /** The visitor's first bytes go into the link before the signal. @default false */
  readonly bytesFirst?: boolean;
  /** Signals wait this long, to leave in one piece. @default 0: each at once */
  readonly gatherMs?: number;
  /** Lines that precede its first signal, and each `tcp`. */
  readonly noise?: string;
}

/** What a generation is told at its start. */
export interface GenerationOptions extends PeerManner {
  readonly key: string;
  readonly terms: PeerTerms;
  /** Whether visitors arrive here. */
  readonly accepts: boolean;
  /** Where this end dials, when visitors arrive at the other. */
  readonly target: { readonly host: string; readonly port: number } | null;
  /** DER of the server's certificate as this end has it or saw it on this link. */
  readonly certificateOf: (link: net.Socket) => Uint8Array | null;
}

const REMOTE = /^(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$/;

/** See the module. */
export class Generation {
  readonly links: PeerLinks = new PeerLinks();
  readonly control: PeerControl;
  /** What the other end did that the dialect forbids. */
  readonly violations: string[] = [];
  /** Fulfilled when visitors may be served. */
  readonly verified: Promise<void>;
  readonly #options: GenerationOptions;
  readonly #secure: boolean;
  readonly #sockets = new Set<net.Socket>();
  #early: PeerSignal[] = [];
  #gathered: PeerSignal[] = [];
  #gathering: ReturnType<typeof setTimeout> | undefined;
  #verifying: ReturnType<typeof setTimeout> | undefined;
  #isVerified: boolean;
  #setVerified!: () => void;

  constructor(control: net.Socket, options: GenerationOptions) {
    this.#options = options;
    this.#secure = options.terms.tls !== "0";
    this.#isVerified = !this.#secure;
    this.verified = new Promise((resolve) => this.#setVerified = resolve);
    this.control = new PeerControl(control, options.key, options.pulse ?? {}, (signal) => this.#obey(signal));
    if (options.noise !== undefined) this.control.write(options.noise);
    if (!this.#secure) this.#setVerified();
    else if (options.accepts) this.#verifying = setTimeout(() => void this.#verify(), options.verifyMs ?? 100);
    void this.control.finished.then(() => this.#end());
  }

  /** Sessions that run. */
  get sessions(): number {
    return this.#sockets.size;
  }

  /** Serves a visitor of this end. */
  async serveStream(visitor: net.Socket): Promise<void> {
    const link = await this.#linkForVisitor();
    if (link === null) return void visitor.destroy();
    const remote = `${visitor.remoteAddress}:${visitor.remotePort}`;
    const signal = (): void => this.#announce({ action: "tcp", remote, id: link.id });
    if (!this.#options.bytesFirst) signal();
    else setTimeout(signal, 30);
    await link.named;
    await this.#during(link.socket, carryStream(link.socket, visitor, this.#secure));
  }

  /** Serves a source of datagrams. */
  async serveSource(source: PeerSource): Promise<void> {
    const link = await this.#linkForVisitor();
    if (link === null) return source.close();
    const signal = (): void => this.#announce({ action: "udp", remote: source.remote, id: link.id });
    if (!this.#options.bytesFirst) signal();
    else setTimeout(signal, 30);
    await link.named;
    await this.#during(link.socket, carrySource(link.socket, source));
  }

  /** Drops all idle links here and there. */
  flush(): void {
    this.control.send({ action: "flush" });
    this.links.flush();
  }

  /** Ends everything. */
  close(): void {
    this.control.close();
    this.#end();
  }

  async #linkForVisitor(): Promise<PeerLink | null> {
    await Promise.race([this.verified, this.control.finished]);
    return await this.links.take(null);
  }

  #announce(signal: PeerSignal): void {
    const { gatherMs = 0, noise } = this.#options;
    if (noise !== undefined) this.control.write(noise);
    if (gatherMs === 0) return this.control.send(signal);
    this.#gathered.push(signal);
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.control.send(...this.#gathered.splice(0));
    }, gatherMs);
  }

  #obey(signal: PeerSignal): void {
    switch (signal.action) {
      case "ping":
      case "pong":
        return;
      case "flush":
        return this.links.flush();
      case "verify":
        return void this.#compare(signal);
      case "tcp":
      case "udp":
        if (this.#options.accepts) this.violations.push(`${signal.action} at the end of the visitors`);
        else if (this.#isVerified) void this.#dial(signal);
        else {
          const announced = this.control.received.some(({ action }) => action === "verify");
          if (!announced) this.violations.push(`${signal.action} before verify`);
          this.#early.push(signal);
        }
        return;
      default:
        this.violations.push(`action ${signal.action}`);
    }
  }

  async #verify(): Promise<void> {
    const link = await this.links.take(null, 60_000);
    if (link === null) return;
    const certificate = this.#options.certificateOf(link.socket);
    if (certificate === null) return this.control.close("no certificate on a link");
    const fp = this.#options.falseFingerprint ?? fingerprintOf(certificate);
    this.control.send({ action: "verify", id: link.id, fp });
    link.socket.destroy();
    this.#allow();
  }

  async #compare({ id = "", fp = "" }: PeerSignal): Promise<void> {
    if (!this.#secure || this.#options.accepts) return void this.violations.push("verify to the wrong end");
    const link = await this.links.take(id);
    if (link === null) return this.control.close(`verify of an unknown link ${id}`);
    const certificate = this.#options.certificateOf(link.socket);
    link.socket.destroy();
    if (certificate === null || fingerprintOf(certificate) !== fp) return this.control.close("the fingerprint differs");
    this.#allow();
  }

  #allow(): void {
    this.#isVerified = true;
    this.#setVerified();
    for (const signal of this.#early.splice(0)) void this.#dial(signal);
  }

  async #dial({ action, remote = "", id = "" }: PeerSignal): Promise<void> {
    if (!/^[0-9a-f]{8}$/.test(id)) this.violations.push(`id ${id}`);
    if (!REMOTE.test(remote)) this.violations.push(`remote ${remote}`);
    const link = await this.links.take(id);
    if (link === null) return void this.violations.push(`${action} on an unknown link ${id}`);
    const { target } = this.#options;
    try {
      if (target === null) throw new Error("no target");
      if (action === "udp") {
        return await this.#during(link.socket, carryDatagrams(link.socket, await dialDatagrams(target)));
      }
      const socket = await connectTo(target);
      await this.#during(link.socket, carryStream(link.socket, socket, this.#secure));
    } catch {
      link.socket.destroy();
    }
  }

  async #during(socket: net.Socket, work: Promise<void>): Promise<void> {
    this.#sockets.add(socket);
    await work;
    this.#sockets.delete(socket);
  }

  #end(): void {
    clearTimeout(this.#verifying);
    clearTimeout(this.#gathering);
    this.links.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
