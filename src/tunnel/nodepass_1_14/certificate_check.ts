/**
 * Whether both ends see the same server certificate: said once, under the key, before the first visitor.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import type { Clock, Timer } from "../../runtime/types.ts";
import type { RawLink } from "../../wire/nodepass_1_14/raw_link.ts";
import type { Signal } from "../../wire/nodepass_1_14/signals.ts";
import type { RawLinks } from "./links.ts";

/** The link that was named stays open this long: the other end looks it up. */
const NAMED_MS = 5_000;
/** Certificates that are remembered, one per link. */
const MAX_SEEN = 4_096;

/** Options of {@linkcode CertificateCheck}. */
export interface CertificateCheckOptions {
  readonly clock: Clock;
  readonly end: "ingress" | "egress";
  readonly links: RawLinks;
}

/** See the module. */
export class CertificateCheck {
  readonly #options: CertificateCheckOptions;
  /** Fingerprint of the server's certificate on each link, as this end sees it or has it. */
  readonly #seen = new Map<string, string>();
  #passed = false;
  #result: Promise<NodePassError | null> | null = null;
  #named: { readonly link: RawLink; readonly timer: Timer } | null = null;

  constructor(options: CertificateCheckOptions) {
    this.#options = options;
  }

  /** Whether visitors may be served. */
  get passed(): boolean {
    return this.#passed;
  }

  /** The same, once a comparison that is under way is over. */
  get result(): Promise<boolean> {
    return this.#result === null ? Promise.resolve(false) : this.#result.then((error) => error === null);
  }

  /** A link was opened. */
  seen(id: string, fingerprint: string): void {
    this.#seen.set(id, fingerprint);
    if (this.#seen.size <= MAX_SEEN) return;
    for (const oldest of this.#seen.keys()) {
      this.#seen.delete(oldest);
      break;
    }
  }

  /** Ingress: the signal that names a link and its certificate; null when that is done, or no link waits yet. */
  begin(): Signal | null {
    if (this.#options.end === "egress" || this.#passed || this.#options.links.ready === 0) return null;
    // Before the link is taken, which leads here again.
    this.#passed = true;
    const link = this.#options.links.take()!;
    this.#named = { link, timer: this.#options.clock.after(NAMED_MS, () => link.close()) };
    return { action: "verify", id: link.id, fp: this.#seen.get(link.id)! };
  }

  /** Egress: what the other end says about a link; resolves with what is wrong, or null. */
  compare(id: string, fp: string): Promise<NodePassError | null> {
    return this.#result = this.#compare(id, fp);
  }

  close(): void {
    this.#named?.timer.cancel();
    this.#named?.link.close();
  }

  async #compare(id: string, fp: string): Promise<NodePassError | null> {
    // The other end may have closed the link already: what was seen on it counts.
    if (this.#options.links.has(id) || !this.#seen.has(id)) (await this.#options.links.claim(id))?.close();
    const seen = this.#seen.get(id);
    if (seen === undefined) {
      return new NodePassError("protocol", `Cannot check the server's certificate: no link has the id ${id}`);
    }
    if (seen.toLowerCase() !== fp.toLowerCase()) {
      return new NodePassError(
        "certificate",
        `The two ends see different server certificates (${seen} here, ${fp} at the other end): ` +
          "something between them ends TLS, or the certificate was replaced meanwhile",
      );
    }
    this.#passed = true;
    return null;
  }
}
