/**
 * One run of an instance: from its URL to its last session.
 *
 * @module
 */
import { readKeyFile } from "../config/named_file.ts";
import { fullUrl, parseTunnelUrl } from "../config/tunnel_url.ts";
import type { TunnelConfig } from "../config/types.ts";
import { formatAddress } from "../address/ip.ts";
import { messageOf, NodePassError } from "../errors.ts";
import type { LimitedLogger } from "../log/limited.ts";
import type { EngineCommand, RunState } from "../report/messages.ts";
import type { SessionRecord } from "../report/types.ts";
import type { TunnelHandle } from "../tunnel/types.ts";
import { hasWeakKey, reportOf, sessionRecordOf } from "./records.ts";
import { runLogger } from "./run_logger.ts";
import type { EngineParts } from "./types.ts";

/** A client that is still trying to reach its server counts as running after this time. */
const TRYING_MS = 250;
/** Pause between attempts to take a port that another run is giving up. */
const PORT_RETRY_MS = 100;

type StartCommand = Extract<EngineCommand, { kind: "start" }>;

/** See the module. It reports each change of its state, and `finished` after the last. */
export class Run {
  /** Resolves when it has ended, however it did. */
  readonly finished: Promise<void>;
  readonly name: string;
  readonly #parts: EngineParts;
  readonly #command: StartCommand;
  /** Gives a start up. */
  readonly #stopped = new AbortController();
  #logger: LimitedLogger;
  #handle: TunnelHandle | null = null;
  #graceMs = 0;
  #weakKey = false;
  #state: RunState | null = null;
  #released = false;

  constructor(command: StartCommand, parts: EngineParts) {
    this.name = command.run;
    this.#command = command;
    this.#parts = parts;
    this.#logger = this.#loggerAt("info");
    this.finished = this.#live();
  }

  /** Nothing listens from now on; sessions may go on for `graceMs`. Later calls can only cut the time. */
  stop(graceMs: number): void {
    const first = !this.#stopped.signal.aborted;
    this.#graceMs = graceMs;
    this.#stopped.abort();
    if (this.#handle === null) return;
    if (first) this.#close(this.#handle);
    else if (graceMs === 0) { for (const { id } of this.#handle.sessions()) this.#handle.endSession(id); }
  }

  sessions(): readonly SessionRecord[] {
    return (this.#handle?.sessions() ?? []).map(sessionRecordOf);
  }

  endSession(id: string): boolean {
    return this.#handle?.endSession(id) ?? false;
  }

  async reload(): Promise<void> {
    await this.#handle?.reload();
  }

  /** Never rejects. */
  async #live(): Promise<void> {
    // Whoever made it knows it before it says anything.
    await Promise.resolve();
    try {
      const handle = await this.#start();
      this.#handle = handle;
      if (this.#stopped.signal.aborted) this.#close(handle);
      else this.#say("running", "", handle);
      await handle.finished;
      this.#checkpoint(handle);
      this.#end(this.#stopped.signal.aborted ? "stopped" : "error", "The tunnel ended by itself");
    } catch (error) {
      // A tunnel that fails may still be letting go of its ports.
      await this.#handle?.close({ graceMs: 0 });
      if (this.#handle !== null) this.#checkpoint(this.#handle);
      this.#end(this.#stopped.signal.aborted ? "stopped" : "error", messageOf(error));
    }
  }

  async #start(): Promise<TunnelHandle> {
    const { runtime, settings } = this.#parts;
    const keyText = await readKeyFile(this.#command.url, settings, runtime.files);
    // What other programs put into a URL is accepted where it does no harm.
    const parsed = parseTunnelUrl(this.#command.url, { settings, strict: false, keyText });
    const { config } = parsed;
    this.#weakKey = hasWeakKey(config);
    this.#logger = this.#loggerAt(config.log);
    this.#logger.info("Starting", { url: fullUrl(config, { redact: true }) });
    for (const warning of parsed.warnings) this.#logger.warn(warning);
    const trying = config.role === "client"
      ? runtime.clock.after(TRYING_MS, () => {
        if (!this.#stopped.signal.aborted) this.#say("running", "", null);
      })
      : null;
    try {
      return await this.#startTunnel(config);
    } finally {
      trying?.cancel();
    }
  }

  async #startTunnel(config: TunnelConfig): Promise<TunnelHandle> {
    const { runtime, startTunnel } = this.#parts;
    const { signal } = this.#stopped;
    const until = runtime.clock.now() + this.#command.portWaitMs;
    for (;;) {
      signal.throwIfAborted();
      // The signal only gives up the start: what runs is closed with its time to drain.
      const starting = new AbortController();
      const giveUp = (): void => starting.abort();
      signal.addEventListener("abort", giveUp);
      try {
        return await startTunnel(config, {
          runtime,
          logger: this.#logger,
          signal: starting.signal,
          onReport: (stats) => this.#report(stats),
        });
      } catch (error) {
        const taken = error instanceof NodePassError && error.code === "address_in_use";
        if (!taken || runtime.clock.now() >= until) throw error;
      } finally {
        signal.removeEventListener("abort", giveUp);
      }
      await new Promise<void>((resolve) => runtime.clock.after(PORT_RETRY_MS, resolve));
    }
  }

  #close(handle: TunnelHandle): void {
    void handle.close({ graceMs: this.#graceMs, onReleased: () => this.#release() });
  }

  #release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#parts.report({ kind: "released", run: this.name });
  }

  #end(state: RunState, message: string): void {
    this.#logger.flush();
    this.#release();
    this.#say(state, state === "error" ? message : "", null);
  }

  #say(state: RunState, message: string, handle: TunnelHandle | null): void {
    if (this.#state === state && handle === null) return;
    this.#state = state;
    const entries = (handle?.entries ?? []).map(formatAddress);
    this.#parts.report({ kind: "state", run: this.name, state, message, entries });
  }

  #checkpoint(handle: TunnelHandle): void {
    this.#report(handle.stats());
  }

  #report(stats: Parameters<typeof reportOf>[0]): void {
    this.#parts.report({ kind: "checkpoint", run: this.name, report: reportOf(stats, this.#weakKey) });
  }

  #loggerAt(level: TunnelConfig["log"]): LimitedLogger {
    const { report, runtime } = this.#parts;
    return runLogger(level, runtime.clock, (line) => report({ kind: "log", run: this.name, line }));
  }
}
