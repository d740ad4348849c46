/**
 * One client as its server sees it: control channel, keys of its links, the links.
 *
 * @module
 */
import type { PeerInfo } from "./types.ts";
import type { Agreement } from "../wire/secure/agreement.ts";
import type { ControlChannel } from "../wire/secure/control_channel.ts";
import type { SharedCounterWindow } from "../wire/secure/shared_counter_window.ts";
import { CounterWindow } from "../wire/secure/counter_window.ts";
import { type Preface, verifyPreface } from "../wire/secure/preface.ts";
import type { PeerLinks } from "./pool/peer_links.ts";

/** What one handshake gave: links that were dialled before a resume still carry the key before it. */
interface Generation {
  readonly linkKey: CryptoKey;
  readonly resumeSecret: CryptoKey;
  readonly counters: CounterWindow | SharedCounterWindow;
}

/** The way to a client: its control channel, or the worker that has it. */
export type PeerControl = Pick<ControlChannel, "pingMs" | "send" | "fail" | "close"> & { readonly local: boolean };

/** See the module. */
export class ServerPeer {
  readonly id: string;
  readonly links: PeerLinks;
  address: string;
  /** Null while the client has no control channel. */
  control: PeerControl | null = null;
  /** When the control channel died (clock ms); null while it lives. */
  controlLostAt: number | null = null;
  /** The client is going away: it gets no new visitor. */
  leaving = false;
  #generations: Generation[] = [];

  constructor(id: string, address: string, links: PeerLinks) {
    this.id = id;
    this.address = address;
    this.links = links;
  }

  /** Secrets that may resume this client. */
  get resumeSecrets(): readonly CryptoKey[] {
    return this.#generations.map(({ resumeSecret }) => resumeSecret);
  }

  /** A handshake succeeded. The generation before it stays valid for links under way. */
  agree(
    { linkKey, resumeSecret }: Pick<Agreement, "linkKey" | "resumeSecret">,
    counters: CounterWindow | SharedCounterWindow = new CounterWindow(),
  ): void {
    this.#generations = [{ linkKey, resumeSecret, counters }, ...this.#generations.slice(0, 1)];
  }

  /** Whether this preface came from the client, for the first time. */
  async verify(preface: Preface, bytes: Uint8Array): Promise<boolean> {
    for (const { linkKey, counters } of this.#generations) {
      if (await verifyPreface(linkKey, bytes)) return counters.accept(preface.counter);
    }
    return false;
  }

  info(): PeerInfo {
    return {
      id: this.id,
      address: this.address,
      pingMs: Math.round(this.control?.pingMs ?? 0),
      pool: this.links.ready,
      sessions: this.links.sessions,
    };
  }
}
