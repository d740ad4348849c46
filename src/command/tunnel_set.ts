/**
 * The tunnels that run now.
 *
 * @module
 */
import { formatTunnelUrl } from "../config/tunnel_url.ts";
import type { Clock, Timer } from "../runtime/types.ts";
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

/** What a {@linkcode TunnelSet} needs. */
export interface TunnelSetOptions {
  readonly clock: Clock;
  /** Starts one tunnel. */
  readonly start: (tunnel: LoadedTunnel) => Promise<TunnelHandle>;
  /** A tunnel that ran has failed; it starts again after NP_SERVICE_COOLDOWN. */
  readonly failed: (failure: TunnelFailure) => void;
}

/** Starts and closes tunnels so that the running ones are the wanted ones. */
export class TunnelSet {
  readonly #options: TunnelSetOptions;
  readonly #running = new Map<string, Running>();
  /** Tunnels that failed and wait for their time to start again. */
  readonly #resting = new Map<string, Timer>();
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: TunnelSetOptions) {
    this.#options = options;
  }

  /** How many run. */
  get size(): number {
    return this.#running.size;
  }

  /** Closes what is not wanted any more, leaves alone what is unchanged, starts the rest. */
  replace(wanted: readonly LoadedTunnel[]): Promise<TunnelFailure[]> {
    return this.#inTurn(async () => {
      this.#wake();
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
    this.#wake();
    await this.#inTurn(async () => {
      const running = [...this.#running.values()];
      this.#running.clear();
      await Promise.allSettled(
        running.map(({ tunnel, handle }) => handle.close({ graceMs: tunnel.config.settings.shutdownTimeoutMs })),
      );
    });
  }

  async #add(identity: string, tunnel: LoadedTunnel): Promise<TunnelFailure | null> {
    if (this.#closed || this.#running.has(identity)) return null;
    try {
      const handle = await this.#options.start(tunnel);
      this.#running.set(identity, { tunnel, handle });
      handle.finished.catch((error: unknown) => this.#ended(identity, handle, error));
      return null;
    } catch (error) {
      this.#rest(identity, tunnel, Promise.resolve());
      return { tunnel, error };
    }
  }

  #ended(identity: string, handle: TunnelHandle, error: unknown): void {
    const running = this.#running.get(identity);
    if (running?.handle !== handle) return;
    this.#running.delete(identity);
    this.#options.failed({ tunnel: running.tunnel, error });
    this.#rest(identity, running.tunnel, handle.close());
  }

  /** @param gone when the ports of the one before are free */
  #rest(identity: string, tunnel: LoadedTunnel, gone: Promise<void>): void {
    if (this.#closed) return;
    const timer = this.#options.clock.after(tunnel.config.settings.serviceCooldownMs, () => {
      this.#resting.delete(identity);
      void this.#inTurn(async () => {
        await gone;
        return await this.#add(identity, tunnel);
      });
    });
    this.#resting.set(identity, timer);
  }

  /** Nobody rests any longer: who calls decides what is to run. */
  #wake(): void {
    for (const timer of this.#resting.values()) timer.cancel();
    this.#resting.clear();
  }

  /** One change at a time: two signals in a row must not start a tunnel twice. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(change);
    this.#turn = result.catch(() => {});
    return result;
  }
}
