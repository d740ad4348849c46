/**
 * Looks addresses up: new ones first, then those that were not asked about for a day.
 *
 * @module
 */
import type { CoreParts } from "../parts.ts";
import { AddressStore, FIRST, type OldAddress } from "./address_store.ts";
import { isAskable } from "./askable.ts";
import { infoOf } from "./fields.ts";
import { Gate } from "./gate.ts";
import { type IpInfo, type IpInfoProvider, isIpInfoError } from "./types.ts";

const DAY_MS = 86_400_000;
/** Addresses that are read from the database at once. */
const PAGE = 2_000;
/** While old addresses are asked about, new ones wait no longer than this. */
const NEWS_MS = 60_000;
/** A gate that opens later is not waited for: the next run finds what is left. */
const PATIENCE_MS = 120_000;

/** What the work needs. */
export type EnrichmentParts = Pick<CoreParts, "db" | "logger" | "metrics"> & {
  readonly runtime: Pick<CoreParts["runtime"], "clock">;
};

interface Guarded {
  readonly provider: IpInfoProvider;
  readonly gate: Gate;
}

/** The work of one replica. */
export class Enrichment {
  readonly #parts: EnrichmentParts;
  readonly #store: AddressStore;
  readonly #providers: readonly Guarded[];
  /** Goes on behind what failed, so that one address cannot hold up the others. */
  #unknownAfter = "";
  #oldAfter: OldAddress = FIRST;

  /** @param providers the first is asked first, the next about what it does not know */
  constructor(parts: EnrichmentParts, providers: readonly IpInfoProvider[]) {
    this.#parts = parts;
    this.#store = new AddressStore(parts.db);
    this.#providers = providers.map((provider) => ({
      provider,
      gate: new Gate(provider, parts.db, parts.runtime.clock),
    }));
  }

  /** Looks up what is due, until nothing is left, the providers are closed for long, or the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for (const { gate } of this.#providers) await gate.load();
    let [open, newOnes, soughtAt] = [true, true, this.#now()];
    await this.#store.copyKnown();
    // The last run may have stopped midway.
    let again = this.#unknownAfter !== "";
    while (!signal.aborted) {
      // Not when a provider is closed: what failed would come again and again.
      if (!newOnes && open && this.#now() - soughtAt >= NEWS_MS) {
        newOnes = true;
        await this.#store.copyKnown();
      }
      let page: readonly string[] | null = newOnes ? await this.#unknown() : null;
      if (page === null && again) {
        again = false;
        continue;
      }
      if (page === null) {
        [newOnes, soughtAt] = [false, this.#now()];
        page = await this.#old();
      }
      if (page === null) return;
      open = await this.#lookUp(page, signal) && open;
      if (!open && this.#providers.length === 1) return;
    }
  }

  async #unknown(): Promise<readonly string[] | null> {
    const page = await this.#store.unknown(this.#unknownAfter, this.#dayAgo(), PAGE);
    this.#unknownAfter = page.at(-1) ?? "";
    return page.length === 0 ? null : page;
  }

  async #old(): Promise<readonly string[] | null> {
    const page = await this.#store.old(this.#oldAfter, this.#dayAgo(), PAGE);
    this.#oldAfter = page.at(-1) ?? FIRST;
    return page.length === 0 ? null : page.map(({ ip }) => ip);
  }

  /** Whether all providers were open. */
  async #lookUp(page: readonly string[], signal: AbortSignal): Promise<boolean> {
    const now = this.#now();
    const bogon = infoOf({ bogon: true }, "none", now);
    await this.#store.store(new Map(page.filter((ip) => !isAskable(ip)).map((ip) => [ip, bogon])), null, now);
    let left: readonly string[] = page.filter(isAskable);
    let open = true;
    for (const [index, { provider, gate }] of this.#providers.entries()) {
      const last = index === this.#providers.length - 1;
      const unknown: string[] = [];
      for (let start = 0; start < left.length; start += provider.maxBatch) {
        open = await this.#opens(gate, signal);
        if (!open) break;
        const some = left.slice(start, start + provider.maxBatch);
        unknown.push(...await this.#ask({ provider, gate }, some, last, signal));
      }
      left = unknown;
    }
    return open && !signal.aborted;
  }

  /** Those of which it knows nothing. */
  async #ask(
    { provider, gate }: Guarded,
    ips: readonly string[],
    last: boolean,
    signal: AbortSignal,
  ): Promise<string[]> {
    const { metrics, logger } = this.#parts;
    const answers = await provider.lookup(ips, signal);
    const found = new Map<string, IpInfo>();
    const [unknown, unanswered]: [string[], string[]] = [[], []];
    let trouble: string | null = null;
    for (const ip of ips) {
      const answer = answers.get(ip) ?? { error: "not answered", final: false };
      if (!isIpInfoError(answer)) found.set(ip, answer);
      else if (answer.final) unknown.push(ip);
      else {
        unanswered.push(ip);
        trouble ??= answer.error;
      }
    }
    await gate.note(trouble !== null);
    await this.#store.store(found, provider.name, this.#now());
    if (last) await this.#store.storeFailures(unknown, provider.name, this.#now());
    const count = (outcome: string, by: number): void => {
      if (by > 0) metrics.count("core_ip_lookups_total", by, { provider: provider.name, outcome });
    };
    count("found", found.size);
    count("unknown", unknown.length);
    count("failed", unanswered.length);
    if (trouble !== null) {
      const told = { provider: provider.name, addresses: unanswered.length, reason: trouble };
      logger.warn(
        gate.broken ? "A provider of address data is left alone for a while" : "Addresses were not looked up",
        told,
      );
    }
    return [...unknown, ...unanswered];
  }

  /** Waits for a gate that opens soon. */
  async #opens(gate: Gate, signal: AbortSignal): Promise<boolean> {
    for (let wait = gate.waitMs(); wait > 0; wait = gate.waitMs()) {
      if (wait > PATIENCE_MS || signal.aborted) return false;
      await this.#pause(wait, signal);
    }
    return !signal.aborted;
  }

  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = this.#parts.runtime.clock.after(ms, end);
      signal.addEventListener("abort", end, { once: true });
    });
  }

  #dayAgo(): number {
    return this.#now() - DAY_MS;
  }

  #now(): number {
    return Math.floor(this.#parts.runtime.clock.wall());
  }
}
