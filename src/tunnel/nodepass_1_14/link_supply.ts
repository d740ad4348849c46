/**
 * What keeps links coming at the client: links are used once, and the server cannot ask for more.
 *
 * @module
 */
import type { ClientConfig } from "../../config/types.ts";
import { messageOf, NodePassError } from "../../errors.ts";
import type { Timer } from "../../runtime/types.ts";
import { CONTROL_ID } from "../../wire/nodepass_1_14/link_id.ts";
import { Backoff } from "../backoff.ts";
import type { TunnelContext } from "../context.ts";
import { Supply } from "../pool/supply.ts";
import type { Pairing } from "./pairing.ts";
import type { AskedTerms, ServerCalls114 } from "./server_calls.ts";

/** A link costs two round trips and serves one visitor. */
const PARALLEL = 32;
const LOOK_MS = 500;
const FIRST_PATIENCE_MS = 200;
const LONGEST_PATIENCE_MS = 5_000;

/** The links of one handshake. */
export class LinkSupply {
  readonly #context: TunnelContext<ClientConfig>;
  readonly #pairing: Pairing;
  readonly #least: number;
  readonly #supply: Supply;
  readonly #patience: Backoff;
  #spurnedAt = -Infinity;
  readonly #stopped = new AbortController();
  #late: Timer | null = null;
  #look: Timer | null = null;
  /** Why the last attempt failed. */
  #failure: NodePassError | null = null;
  #used = 0;

  constructor(
    context: TunnelContext<ClientConfig>,
    asked: AskedTerms,
    calls: ServerCalls114,
    pairing: Pairing,
    stopped: AbortSignal,
  ) {
    const { config, runtime } = context;
    const maxReady = asked.terms.max;
    const signal = AbortSignal.any([stopped, this.#stopped.signal]);
    this.#context = context;
    this.#pairing = pairing;
    this.#patience = new Backoff(runtime.random, FIRST_PATIENCE_MS, LONGEST_PATIENCE_MS);
    this.#least = Math.min(config.minLinks, maxReady);
    this.#supply = new Supply({
      clock: runtime.clock,
      random: runtime.random,
      minReady: this.#least,
      maxReady,
      parallel: PARALLEL,
      intervalMs: config.settings.minPoolIntervalMs,
      ready: () => pairing.links.ready,
      open: () => this.#open(calls, asked, signal),
      onFailure: (error) => this.#failed(error),
    });
  }

  start(): void {
    const { config, runtime } = this.#context;
    this.#late = runtime.clock.after(config.settings.handshakeTimeoutMs, () => {
      if (this.#pairing.connected) return;
      const late = new NodePassError("timed_out", "Server named no control connection after the handshake");
      this.#pairing.end(this.#failure ?? late);
    });
    // Visitors of the next moment are as many as those of the last one.
    this.#look = runtime.clock.every(LOOK_MS, () => {
      if (this.#used > 0) this.demand(this.#least + this.#used);
      this.#used = 0;
    });
    this.#supply.start();
  }

  stop(): void {
    this.#late?.cancel();
    this.#look?.cancel();
    this.#supply.stop();
    this.#stopped.abort();
  }

  /** Visitors wait for this many links. */
  demand(links: number): void {
    this.#supply.demand(links);
  }

  /** Opens what is missing. */
  fill(): void {
    this.#supply.fill();
  }

  /** The server used a link. */
  used(): void {
    this.#used++;
  }

  /** The server closed a link that it had just named: it has enough, and is not to be asked without end. */
  spurned(): void {
    if (this.#supply.holding) return;
    const now = this.#context.runtime.clock.now();
    if (now - this.#spurnedAt > 2 * LONGEST_PATIENCE_MS) this.#patience.reset();
    this.#spurnedAt = now;
    this.#supply.hold(Math.max(FIRST_PATIENCE_MS, this.#patience.next()));
  }

  async #open(calls: ServerCalls114, asked: AskedTerms, signal: AbortSignal): Promise<void> {
    const { conn, id, seen } = await calls.link(asked, signal);
    const taken = id === CONTROL_ID ? this.#pairing.connect(conn) : this.#pairing.add(conn, id, seen);
    if (!taken && !this.#pairing.over) throw new NodePassError("protocol", `Server gave link ${id} out a second time`);
  }

  #failed(error: unknown): void {
    const { logger, runtime } = this.#context;
    const failure = this.#failure = runtime.toError(error);
    if (this.#pairing.connected) logger.warn("Cannot open a link", { reason: messageOf(failure) });
    // Trying again changes nothing about it.
    else if (failure.code === "certificate") this.#pairing.end(failure);
  }
}
