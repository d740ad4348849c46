/**
 * A master as a library: an HTTP API that runs tunnels.
 *
 * @module
 */
import { formatAddress, isUnspecified } from "../address/ip.ts";
import { type MasterConfig, parseMasterUrl } from "../config/master_url.ts";
import type { Secret } from "../config/secret.ts";
import { readSettings } from "../config/settings.ts";
import type { Settings } from "../config/types.ts";
import { createLogger } from "../log/logger.ts";
import { silentLogger } from "../log/silent.ts";
import type { Logger } from "../log/types.ts";
import { API_KEY_DIGITS } from "../master/api_key.ts";
import { Hub } from "../master/events/hub.ts";
import { randomHex } from "../master/identifiers.ts";
import { Instances } from "../master/instances.ts";
import { listenMaster, type MasterListener } from "../master/listen.ts";
import { InstanceLogs } from "../master/logs.ts";
import { mirrored } from "../master/state_file/go_mirror.ts";
import { openState } from "../master/state_file/open.ts";
import { goMirrorFile, stateDirectory } from "../master/state_file/places.ts";
import { type Takeover, takeOver } from "../master/state_file/takeover.ts";
import type { MasterState, StateStore } from "../master/state_file/types.ts";
import type { InstanceSupervisor } from "../master/supervisor/types.ts";
import { SystemSampler } from "../master/system_info/sampler.ts";
import { createTcping } from "../master/tcping.ts";
import { detectRuntime } from "../runtime/detect.ts";
import type { Random, Runtime, SocketAddress } from "../runtime/types.ts";
import type { StartOptions } from "./options.ts";
import { startSupervisor } from "./supervisor.ts";

export type { MasterConfig };

/** Options of {@linkcode startMaster}. */
export interface StartMasterOptions extends Omit<StartOptions, "onReport"> {
  /**
   * How many processes share the instances; 0 runs them in this one. More than 0 starts the program that runs now again,
   * which only `nodepass` itself understands.
   *
   * @default 0
   */
  readonly engines?: number;
  /** Folder of the state; one master at a time. @default NP_STATE_DIR, else below the home of the user */
  readonly stateDir?: string;
}

/** A master that runs. */
export interface MasterHandle extends AsyncDisposable {
  /** Where the API listens. */
  readonly addr: SocketAddress;
  /** `http://host:port/prefix/v1` */
  readonly apiUrl: string;
  /** The API key of now. */
  readonly key: Secret;
  /** This is the first start, and its API key was made now. */
  readonly isNew: boolean;
  /** Resolves once closed. */
  readonly finished: Promise<void>;
  /** Reads certificate files again: of the API and of all instances. */
  reload(): Promise<void>;
  /**
   * Ends events, API and instances: listeners close at once, sessions may go on for up to `graceMs`. Idempotent.
   *
   * @default NP_SHUTDOWN_TIMEOUT
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/** How long requests may go on once the master ends. */
const REQUEST_GRACE_MS = 500;

/**
 * Starts a master. Resolves when its API listens; instances that are to run start after that.
 *
 * @example
 * ```ts
 * import { startMaster } from "nodepass/master";
 *
 * const stateDir = await Deno.makeTempDir();
 * await using master = await startMaster("master://127.0.0.1:0/api", { stateDir });
 * const answer = await fetch(`${master.apiUrl}/instances`, { headers: { "X-API-Key": master.key.reveal() } });
 * console.log((await answer.json()).length); // 1: the API key itself
 * ```
 *
 * @param source a `master://` URL, or a configuration from `parseMasterUrl`
 * @param options where the state is, where instances run, signal, logger
 * @throws {NodePassError} `usage` for a bad URL; `locked` when another master has the state; `corrupt` when the state
 * cannot be read; otherwise what kept it from listening
 */
export async function startMaster(
  source: string | MasterConfig,
  options: StartMasterOptions = {},
): Promise<MasterHandle> {
  const { logger = silentLogger, signal } = options;
  const runtime = options.runtime ?? await detectRuntime();
  const read = readSettings((name) => runtime.process.env(name));
  const settings: Settings = options.stateDir === undefined ? read : { ...read, stateDir: options.stateDir };
  signal?.throwIfAborted();
  const { config, warnings } = typeof source === "string" ? parseMasterUrl(source) : { config: source, warnings: [] };
  for (const warning of warnings) logger.warn(warning);
  const directory = await stateDirectory(runtime, settings);
  const { store, takeover } = await openOrTakeOver({ runtime, settings, logger, directory });
  const master = new Master({ config, settings, runtime, logger, store, takeover, engines: options.engines ?? 0 });
  try {
    await master.open();
  } catch (error) {
    await master.close({ graceMs: 0 });
    throw error;
  }
  const stop = (): void => void master.close({ graceMs: 0 });
  signal?.addEventListener("abort", stop, { once: true });
  void master.finished.then(() => signal?.removeEventListener("abort", stop));
  if (signal?.aborted) stop();
  return master;
}

interface MasterOptions {
  readonly config: MasterConfig;
  readonly settings: Settings;
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly store: StateStore;
  /** What a Go master left, at the first start. */
  readonly takeover: Takeover | null;
  readonly engines: number;
}

/** Takes the state of this master; at its first start that of a Go master, where one is. */
async function openOrTakeOver(
  { runtime, settings, logger, directory }: Pick<MasterOptions, "runtime" | "settings" | "logger"> & {
    readonly directory: string;
  },
): Promise<Pick<MasterOptions, "store" | "takeover">> {
  const store = await openState({ runtime, directory, logger, reloadIntervalMs: settings.reloadIntervalMs });
  try {
    const takeover = store.initial === null ? await takeOver({ runtime, directory, logger }) : null;
    const path = await goMirrorFile(runtime);
    if (path === null) return { store, takeover };
    const mirror = { files: runtime.files, path, keep: takeover !== null, logger };
    return { store: mirrored(store, mirror), takeover };
  } catch (error) {
    await store.close();
    throw error;
  }
}

class Master implements MasterHandle {
  readonly finished: Promise<void>;
  readonly #options: MasterOptions;
  readonly #state: MasterState;
  readonly #instances: Instances;
  readonly #hub: Hub;
  readonly #supervisor: InstanceSupervisor;
  readonly #system: SystemSampler;
  readonly #ended = Promise.withResolvers<void>();
  #listener: MasterListener | null = null;
  #ready = false;
  #closing: Promise<void> | null = null;

  constructor(options: MasterOptions) {
    const { config, settings, runtime, logger, store, takeover, engines } = options;
    const { clock, random, files } = runtime;
    this.#options = options;
    this.finished = this.#ended.promise;
    this.#state = nextState(store.initial ?? takeover?.state ?? null, random);
    const { state } = { state: this.#state };
    this.#instances = new Instances({
      ...{ store, state, logs: new InstanceLogs(), clock, random, logger, settings },
      inherited: { log: config.log, tls: config.tls, wire: config.wire ?? state.wire },
      lines: (write) => createLogger({ level: "debug", format: "text", color: false, write, wall: () => clock.wall() }),
    });
    this.#hub = new Hub({ clock, run: state.run, instances: this.#instances });
    const { isolation } = config;
    this.#supervisor = startSupervisor({ runtime, settings, logger, engines, isolation }, this.#instances.events);
    this.#system = new SystemSampler({ files, clock });
  }

  async open(): Promise<void> {
    const { config, settings, runtime, logger, store, takeover } = this.#options;
    const first = store.initial === null;
    // Readers of events tell runs apart, so this one is on disk before the first of them.
    if (!first) await store.save(this.#state);
    this.#listener = await listenMaster({
      ...{ config, settings, runtime, logger, instances: this.#instances, hub: this.#hub, system: this.#system },
      tcping: createTcping({ runtime, settings }),
      ready: () => this.#ready,
      startedAt: runtime.clock.now(),
    });
    // A first start that cannot listen leaves nothing behind: the next one shows its key. Nobody knows this one yet.
    if (first) await store.save(this.#state);
    if (takeover !== null) {
      const { path, state: { instances }, changes } = takeover;
      logger.info("The state of a Go master was taken over", {
        ...{ path, instances: instances.length, changes: changes.join("; ") },
      });
    }
    if (this.#closing !== null) return;
    this.#instances.start(this.#hub, this.#supervisor);
    this.#ready = true;
    logger.info("Master started", { url: this.apiUrl, instances: this.#state.instances.length });
  }

  get addr(): SocketAddress {
    return this.#listener?.addr ?? this.#options.config.listen;
  }

  get apiUrl(): string {
    const { listen, prefix, tls } = this.#options.config;
    const host = isUnspecified(listen.host) ? "127.0.0.1" : listen.host;
    const scheme = tls.kind === "plain" ? "http" : "https";
    return `${scheme}://${formatAddress({ host, port: this.addr.port })}${prefix}/v1`;
  }

  get key(): Secret {
    return this.#instances.apiKey;
  }

  get isNew(): boolean {
    const { store, takeover } = this.#options;
    return store.initial === null && (takeover?.newKey ?? true);
  }

  async reload(): Promise<void> {
    this.#supervisor.reload();
    await this.#listener?.reload();
  }

  close({ graceMs = this.#options.settings.shutdownTimeoutMs }: { graceMs?: number } = {}): Promise<void> {
    return this.#closing ??= this.#close(graceMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(graceMs: number): Promise<void> {
    const served = this.#ready;
    this.#ready = false;
    this.#instances.freeze();
    const stopped = this.#supervisor.close({ graceMs });
    await this.#hub.endAll();
    await this.#listener?.close({ graceMs: Math.min(graceMs, REQUEST_GRACE_MS) });
    this.#system.close();
    await stopped;
    await this.#instances.close();
    await this.#options.store.close();
    if (served) this.#options.logger.info("Master stopped");
    this.#ended.resolve();
  }
}

/** What this run begins with: what was stored, or a new master. */
function nextState(stored: MasterState | null, random: Random): MasterState {
  if (stored !== null) return { ...stored, run: stored.run + 1 };
  const [masterId, apiKey] = [randomHex(random, 16), randomHex(random, API_KEY_DIGITS)];
  return { masterId, alias: "", apiKey, run: 1, wire: "secure", instances: [] };
}
