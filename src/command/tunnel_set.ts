/**
 * The tunnels that run now.
 *
 * @module
 */
import { formatTunnelUrl } from "../config/tunnel_url.ts";
import type { TunnelHandle } from "../tunnel/types.ts";
import type { LoadedTunnel } from "./load.ts";

/** A tunnel that did not start or reload. */
export interface TunnelFailure {
  readonly tunnel: LoadedTunnel;
  readonly error: unknown;
}

interface Running {
  readonly tunnel: LoadedTunnel;
  readonly handle: TunnelHandle;
}

/** What makes two tunnels the same: name and configuration. */
export function identityOf({ name, config }: LoadedTunnel, redact = false): string {
  return `${name ?? ""} ${formatTunnelUrl(config, { redact })} ${redact ? "" : config.key.secret.reveal()}`.trim();
}

/** Starts and closes tunnels so that the running ones are the wanted ones. */
export class TunnelSet {
  readonly #start: (tunnel: LoadedTunnel) => Promise<TunnelHandle>;
  readonly #running = new Map<string, Running>();
  readonly #allFailed = Promise.withResolvers<void>();
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** @param start starts one tunnel */
  constructor(start: (tunnel: LoadedTunnel) => Promise<TunnelHandle>) {
    this.#start = start;
  }

  /** Resolves when the last running tunnel ended by itself. */
  get allFailed(): Promise<void> {
    return this.#allFailed.promise;
  }

  /** How many run. */
  get size(): number {
    return this.#running.size;
  }

  /** Closes what is not wanted any more, leaves alone what is unchanged, starts the rest. */
  replace(wanted: readonly LoadedTunnel[]): Promise<TunnelFailure[]> {
    return this.#inTurn(async () => {
      const identities = new Map(wanted.map((tunnel) => [identityOf(tunnel), tunnel]));
      const gone = [...this.#running].filter(([identity]) => !identities.has(identity));
      for (const [identity] of gone) this.#running.delete(identity);
      // Before the new ones start: they may want the same port.
      await Promise.allSettled(gone.map(([, { handle }]) => handle.close()));
      const fresh = [...identities].filter(([identity]) => !this.#running.has(identity));
      const results = await Promise.all(fresh.map(([identity, tunnel]) => this.#add(identity, tunnel)));
      return results.filter((failure) => failure !== null);
    });
  }

  /** Every running tunnel reads its certificates again. */
  reload(): Promise<TunnelFailure[]> {
    return this.#inTurn(async () => {
      const failures: TunnelFailure[] = [];
      for (const { tunnel, handle } of this.#running.values()) {
        await handle.reload().catch((error: unknown) => failures.push({ tunnel, error }));
      }
      return failures;
    });
  }

  /** Closes all, each within its own NP_SHUTDOWN_TIMEOUT. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#inTurn(async () => {
      const running = [...this.#running.values()];
      this.#running.clear();
      await Promise.allSettled(
        running.map(({ tunnel, handle }) => handle.close({ graceMs: tunnel.config.settings.shutdownTimeoutMs })),
      );
    });
  }

  async #add(identity: string, tunnel: LoadedTunnel): Promise<TunnelFailure | null> {
    if (this.#closed) return null;
    try {
      const handle = await this.#start(tunnel);
      this.#running.set(identity, { tunnel, handle });
      const ended = (): void => this.#ended(identity, handle);
      handle.finished.then(ended, ended);
      return null;
    } catch (error) {
      return { tunnel, error };
    }
  }

  #ended(identity: string, handle: TunnelHandle): void {
    if (this.#running.get(identity)?.handle !== handle) return;
    this.#running.delete(identity);
    if (this.#running.size === 0) this.#allFailed.resolve();
  }

  /** One change at a time: two signals in a row must not start a tunnel twice. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(change);
    this.#turn = result.catch(() => {});
    return result;
  }
}
