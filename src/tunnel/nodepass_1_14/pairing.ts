/**
 * One handshake's life at either end: its links, its control connection, what is said on it.
 *
 * @module
 */
import { formatAddress } from "../../address/ip.ts";
import { NodePassError } from "../../errors.ts";
import type { Conn } from "../../runtime/types.ts";
import { SignalChannel } from "../../wire/nodepass_1_14/control.ts";
import { RawLink } from "../../wire/nodepass_1_14/raw_link.ts";
import { parseRemote, type Signal } from "../../wire/nodepass_1_14/signals.ts";
import type { Opening } from "../../wire/types.ts";
import type { TunnelContext } from "../context.ts";
import type { Egress } from "../egress.ts";
import type { PeerInfo } from "../types.ts";
import { CertificateCheck } from "./certificate_check.ts";
import { RawLinks } from "./links.ts";

/** Options of {@linkcode Pairing}. */
export interface PairingOptions {
  readonly context: TunnelContext;
  /** Visitors arrive here, or targets are dialled here. */
  readonly end: "ingress" | "egress";
  /** Links run in TLS: no visitor is served before the certificate was checked. */
  readonly tls: boolean;
  /** Links that may wait. */
  readonly maxReady: number;
  /** Address of the other end. */
  readonly host: string;
  readonly egress: Egress;
  /** The control connection is there. */
  readonly connected: (control: Conn) => void;
  /** Visitors may be served from now on. */
  readonly opened: () => void;
  /** The number of links changed. */
  readonly changed: () => void;
  /** The other end closed a link that had just been opened. */
  readonly spurned: () => void;
  /** A visitor was announced here. */
  readonly announced: () => void;
}

/** See the module. */
export class Pairing {
  readonly links: RawLinks;
  readonly host: string;
  /** Resolves with what ended it; sessions may go on after that. */
  readonly finished: Promise<NodePassError>;
  readonly #options: PairingOptions;
  readonly #check: CertificateCheck | null;
  readonly #stopTick: () => void;
  #finish!: (error: NodePassError) => void;
  #channel: SignalChannel | null = null;
  #address = "";
  #controlClaimed = false;
  #over = false;
  #lookedAt: number;

  constructor(options: PairingOptions) {
    const { context, end, tls } = options;
    const { clock } = context.runtime;
    this.#options = options;
    this.host = this.#address = options.host;
    this.finished = new Promise((resolve) => this.#finish = resolve);
    this.links = new RawLinks({
      clock,
      maxReady: options.maxReady,
      claimMs: context.config.settings.poolGetTimeoutMs,
      changed: () => this.#changed(),
      spurned: options.spurned,
    });
    this.#check = tls ? new CertificateCheck({ clock, end, links: this.links }) : null;
    this.#lookedAt = clock.now();
    this.#stopTick = context.sweeper.onTick((now) => this.#tick(now));
  }

  /** Whether the control connection was opened. */
  get connected(): boolean {
    return this.#channel !== null;
  }

  get over(): boolean {
    return this.#over;
  }

  /** Address of the control connection, or where the handshake came from. */
  get address(): string {
    return this.#address;
  }

  get pingMs(): number {
    return this.#channel?.pingMs ?? 0;
  }

  info(): PeerInfo {
    return {
      id: this.host,
      address: this.#address,
      pingMs: Math.round(this.pingMs),
      pool: this.links.ready,
      sessions: this.links.sessions,
    };
  }

  /** Server: whether the next connection is the control connection; true once. */
  claimControl(): boolean {
    const first = !this.#controlClaimed;
    this.#controlClaimed = true;
    return first;
  }

  /** Takes over the connection with the id of the control connection; false when it was closed: there is one. */
  connect(conn: Conn): boolean {
    if (this.#over || this.#channel !== null) {
      conn.close();
      return false;
    }
    const { context } = this.#options;
    const channel = this.#channel = new SignalChannel({
      conn,
      key: context.config.key.secret.reveal(),
      clock: context.runtime.clock,
      intervalMs: context.config.settings.reportIntervalMs,
      onSignal: (signal) => this.#hear(signal),
      onSkipped: (reason) => context.visitorLog.warn("Signal skipped", { remote: this.#address, reason }),
    });
    this.#address = formatAddress(conn.remote);
    channel.finished.then((error) => this.end(error));
    void channel.run();
    this.#options.connected(conn);
    if (this.#check === null) this.#options.opened();
    else this.#changed();
    return true;
  }

  /**
   * Takes over a connection whose id is known; false when it was closed, because it is of no use.
   *
   * @param seen fingerprint of the server's certificate on it; null in clear
   */
  add(conn: Conn, id: string, seen: string | null): boolean {
    if (this.#over) {
      conn.close();
      return false;
    }
    const { config, ledger, runtime } = this.#options.context;
    if (seen !== null) this.#check?.seen(id, seen);
    return this.links.add(
      new RawLink({
        conn,
        id,
        end: this.#options.end,
        maxBufferBytes: config.settings.tcpBufferBytes,
        clock: runtime.clock,
        events: {
          announce: (signal) => this.#channel?.send(signal),
          released: (link) => this.links.released(link),
          closed: (link, error) => this.links.ended(link, error),
          dropped: () => ledger.reject("overflow"),
        },
      }),
    );
  }

  /** Both ends let go of the links that wait. */
  flush(): void {
    this.#channel?.send({ action: "flush" });
    this.links.flush();
  }

  /** Ends it: no further visitor; sessions go on. Idempotent. */
  end(error: NodePassError): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopTick();
    this.#check?.close();
    this.#channel?.fail(error);
    this.links.retire();
    this.#finish(error);
  }

  /** Ends it with its sessions. */
  close(): void {
    this.end(new NodePassError("closed", "Tunnel was closed"));
    this.links.close();
  }

  #changed(): void {
    if (!this.#over && this.#channel !== null) {
      const verify = this.#check?.begin() ?? null;
      if (verify !== null) {
        this.#channel.send(verify);
        this.#options.opened();
      }
    }
    this.#options.changed();
  }

  #hear(signal: Signal): void {
    if (this.#over) return;
    switch (signal.action) {
      case "tcp":
      case "udp":
        if (this.#options.end === "egress") return void this.#serve(signal);
        break;
      case "flush":
        return this.links.flush();
      case "verify":
        if (this.#options.end === "egress" && this.#check !== null) return void this.#compare(this.#check, signal);
    }
    this.#options.context.visitorLog.warn("Signal skipped", {
      remote: this.#address,
      reason: `"${signal.action}" is not for this end`,
    });
  }

  /** A visitor arrived at the other end. */
  async #serve({ action, remote, id }: Extract<Signal, { action: "tcp" | "udp" }>): Promise<void> {
    const { context, egress, announced } = this.#options;
    const found = this.links.claim(id);
    const link = found instanceof Promise ? await found : found;
    const passed = this.#check === null || this.#check.passed || await this.#check.result;
    if (link === null || !passed || link.state !== "taken") {
      link?.close();
      const reason = link === null ? `no link has the id ${id}` : passed ? "its link broke" : 'it came before "verify"';
      context.visitorLog.warn("Cannot serve visitor", { visitor: remote, reason });
      return;
    }
    announced();
    const opening: Opening = { protocol: action, visitor: parseRemote(remote)! };
    if (action === "tcp") return egress.open(link.accept(opening));
    const wire = link.acceptDatagrams(opening);
    const receiver = egress.openDatagrams(wire, { expires: true });
    if (receiver === null) wire.close();
    else wire.attach(receiver);
  }

  async #compare(check: CertificateCheck, signal: Extract<Signal, { action: "verify" }>): Promise<void> {
    const error = await check.compare(signal.id, signal.fp);
    if (error !== null) return this.end(error);
    if (!this.#over) this.#options.opened();
  }

  #tick(now: number): void {
    if (this.#channel === null || now - this.#lookedAt < this.#options.context.config.settings.reportIntervalMs) return;
    this.#lookedAt = now;
    if (this.links.failing) {
      this.#options.context.logger.warn("Too many links broke: all that wait are opened anew", {
        broken: this.links.errors,
        waiting: this.links.ready,
      });
      this.flush();
    }
    this.links.errors = 0;
  }
}
