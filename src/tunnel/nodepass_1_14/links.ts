/**
 * The links of one handshake: those that wait for a visitor, by id, and those that serve one.
 *
 * @module
 */
import type { NodePassError } from "../../errors.ts";
import type { Clock, Timer } from "../../runtime/types.ts";
import { CONTROL_ID } from "../../wire/nodepass_1_14/link_id.ts";
import type { RawLink } from "../../wire/nodepass_1_14/raw_link.ts";
import type { LinkSupplier } from "../pool/matchmaker.ts";

/** Signals that may wait for their link at once. */
const MAX_AWAITED = 1_024;
/** The other end closes younger ones because it has enough: that says nothing about the network. */
const GROWN_UP_MS = 2_000;

/** A signal whose link has not come yet: the two travel on different connections. */
interface Awaited {
  readonly resolve: (link: RawLink | null) => void;
  readonly timer: Timer;
}

/** Options of {@linkcode RawLinks}. */
export interface RawLinksOptions {
  readonly clock: Clock;
  /** Links that may wait for a visitor. */
  readonly maxReady: number;
  /** How long a signal waits for its link. */
  readonly claimMs: number;
  /** The number of links changed. */
  readonly changed: () => void;
  /** The other end closed a link that had just been opened. */
  readonly spurned: () => void;
}

/** See the module. Every link is used once. */
export class RawLinks implements LinkSupplier<RawLink> {
  /** Links that broke, or were never there, since the last `resetErrors`. */
  errors = 0;
  readonly #options: RawLinksOptions;
  readonly #links = new Map<string, RawLink>();
  /** When each was opened (clock ms). */
  readonly #since = new WeakMap<RawLink, number>();
  /** Those that wait, the one that came last at the end. */
  readonly #idle: RawLink[] = [];
  readonly #awaited = new Map<string, Awaited>();
  #closed = false;

  constructor(options: RawLinksOptions) {
    this.#options = options;
  }

  get ready(): number {
    return this.#idle.length;
  }

  get sessions(): number {
    return this.#links.size - this.#idle.length;
  }

  get total(): number {
    return this.#links.size;
  }

  /** Whether a link has this id. */
  has(id: string): boolean {
    return this.#links.has(id);
  }

  /** A new link; false when it was closed at once, because there are too many or one of this name. */
  add(link: RawLink): boolean {
    const awaited = this.#awaited.get(link.id);
    const full = this.#idle.length >= this.#options.maxReady && awaited === undefined;
    if (this.#closed || full || this.#links.has(link.id)) {
      link.close();
      return false;
    }
    this.#links.set(link.id, link);
    this.#since.set(link, this.#options.clock.now());
    if (awaited === undefined) {
      this.#idle.push(link);
      this.#options.changed();
      return true;
    }
    this.#awaited.delete(link.id);
    awaited.timer.cancel();
    link.take();
    awaited.resolve(link);
    return true;
  }

  /** The link that came last: the network has forgotten it least. */
  take(): RawLink | null {
    const link = this.#idle.pop() ?? null;
    if (link === null) return null;
    link.take();
    this.#options.changed();
    return link;
  }

  /** The link of a signal: at once, when it comes, or null when it does not come. */
  claim(id: string): RawLink | Promise<RawLink | null> | null {
    const link = this.#links.get(id);
    if (link !== undefined) {
      if (!this.#unqueue(link)) return null;
      link.take();
      this.#options.changed();
      return link;
    }
    const hopeless = id === CONTROL_ID || this.#awaited.has(id) || this.#awaited.size >= MAX_AWAITED;
    if (this.#closed || hopeless) return null;
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(this.#options.claimMs, () => {
        this.#awaited.delete(id);
        this.errors++;
        resolve(null);
      });
      this.#awaited.set(id, { resolve, timer });
    });
  }

  /** A link that was taken and not used waits again. */
  released(link: RawLink): void {
    if (this.#links.get(link.id) !== link) return;
    if (this.#closed) return link.close();
    this.#idle.push(link);
    this.#options.changed();
  }

  /** A link ended. */
  ended(link: RawLink, error: NodePassError): void {
    if (this.#links.get(link.id) !== link) return;
    this.#links.delete(link.id);
    this.#unqueue(link);
    if (error.code !== "closed") {
      if (this.#options.clock.now() - this.#since.get(link)! >= GROWN_UP_MS) this.errors++;
      else this.#options.spurned();
    }
    this.#options.changed();
  }

  /** Whether more links broke than half of those that wait: the others are not worth much either, then. */
  get failing(): boolean {
    return this.errors > this.#idle.length / 2;
  }

  /** Closes every link that waits. */
  flush(): void {
    this.errors = 0;
    for (const link of this.#idle.slice()) link.close();
  }

  /** Takes no more links and closes those that wait; sessions go on. */
  retire(): void {
    this.#closed = true;
    for (const { resolve, timer } of this.#awaited.values()) {
      timer.cancel();
      resolve(null);
    }
    this.#awaited.clear();
    this.flush();
  }

  /** Closes everything. */
  close(): void {
    this.retire();
    for (const link of [...this.#links.values()]) link.close();
  }

  /** False when it does not wait. */
  #unqueue(link: RawLink): boolean {
    const at = this.#idle.indexOf(link);
    if (at >= 0) this.#idle.splice(at, 1);
    return at >= 0;
  }
}
