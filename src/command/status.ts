/**
 * `nodepass status`: the instances of a master, with what goes through them.
 *
 * @module
 */
import { redactUrl } from "../config/tunnel_url.ts";
import { messageOf, NodePassError } from "../errors.ts";
import { API_KEY_ID, type InstanceView } from "../master/instance.ts";
import type { Clock, Timer } from "../runtime/types.ts";
import { ApiClient, type MasterInfo } from "./api_client.ts";
import { followEvents } from "./api_events.ts";
import { apiTarget, statusFlags } from "./api_flags.ts";
import { type CommandContext, type ExitCode, print, printJson } from "./context.ts";
import { noPositionals, readArguments } from "./flags.ts";
import { Rates } from "./rates.ts";
import { type StatusPicture, statusTable } from "./status_table.ts";

/** Two reports of each instance, at the usual interval and a bit. */
const MEASURE_MS = 13_000;
/** How often the picture may change. */
const REDRAW_MS = 500;
const RECONNECT_MS = 2_000;

/** `nodepass status --api URL --key K [--watch] [--now] [--json]` */
export async function statusCommand(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  const given = readArguments(args, "status", statusFlags);
  noPositionals(given, "nodepass status --api url --key key");
  const { runtime } = context;
  const target = await apiTarget(given, "", true, runtime.files);
  const api = new ApiClient(target!, runtime);
  const view = new StatusView(api, context, { json: given.flags.has("json"), watch: given.flags.has("watch") });
  if (given.flags.has("watch")) return await view.watch();
  return await view.once(given.flags.has("now"));
}

/** The picture, and how it is brought to the screen. */
class StatusView {
  readonly #api: ApiClient;
  readonly #context: CommandContext;
  readonly #json: boolean;
  readonly #watching: boolean;
  readonly #rates = new Rates();
  readonly #instances = new Map<string, InstanceView>();
  #info: MasterInfo | null = null;

  constructor(api: ApiClient, context: CommandContext, options: { readonly json: boolean; readonly watch: boolean }) {
    this.#api = api;
    this.#context = context;
    this.#json = options.json;
    this.#watching = options.watch;
  }

  /** One picture, with rates unless `now`. */
  async once(now: boolean): Promise<ExitCode> {
    await this.#load();
    if (!now) await this.#measure();
    this.#show(!now);
    return 0;
  }

  /** Pictures until SIGINT or SIGTERM. */
  async watch(): Promise<ExitCode> {
    const { process, clock } = this.#context.runtime;
    const stop = new AbortController();
    const undo = (["SIGINT", "SIGTERM"] as const).map((name) => process.onSignal(name, () => stop.abort()));
    let redraw = null as Timer | null;
    const changed = (): void => {
      redraw ??= clock.after(REDRAW_MS, () => {
        redraw = null;
        this.#show(true);
      });
    };
    let last: string | null = null;
    try {
      while (!stop.signal.aborted) {
        try {
          await this.#load();
          this.#show(true);
          last = await this.#follow(stop.signal, last, changed);
        } catch (error) {
          // A wrong key or prefix stays wrong; what is down may come back.
          const passing = ["connection_refused", "connection_reset", "timed_out", "unreachable", "io", "closed"];
          if (!(error instanceof NodePassError) || !passing.includes(error.code)) throw error;
          process.stderr(`nodepass: ${messageOf(error)}, trying again\n`);
        }
        await pause(RECONNECT_MS, clock, stop.signal);
      }
    } finally {
      for (const remove of undo) remove();
      redraw?.cancel();
    }
    return 0;
  }

  async #load(): Promise<void> {
    this.#info = await this.#api.get<MasterInfo>("/info");
    const list = await this.#api.instances();
    this.#instances.clear();
    for (const instance of list) this.#instances.set(instance.id, instance);
  }

  /** Listens until each running instance has a rate. */
  async #measure(): Promise<void> {
    if (this.#complete()) return;
    const enough = new AbortController();
    const timer = this.#context.runtime.clock.after(MEASURE_MS, () => enough.abort());
    try {
      await this.#follow(enough.signal, null, () => {
        if (this.#complete()) enough.abort();
      });
    } finally {
      timer.cancel();
    }
  }

  #complete(): boolean {
    const running = [...this.#instances.values()].filter(({ status }) => status === "running");
    return running.every(({ id }) => this.#rates.of(id) !== null);
  }

  async #follow(signal: AbortSignal, lastEventId: string | null, changed: () => void): Promise<string | null> {
    return await followEvents(this.#api, {
      signal,
      lastEventId,
      onEvent: ({ type, time, instance }) => {
        if (instance === null || type === "log") return;
        if (type === "delete") {
          this.#instances.delete(instance.id);
          this.#rates.remove(instance.id);
        } else {
          this.#instances.set(instance.id, instance);
          // An initial repeats what was counted some time ago.
          if (type === "update") this.#rates.update(instance, time);
        }
        changed();
      },
    });
  }

  #show(rates: boolean): void {
    if (this.#info === null) return;
    const { process } = this.#context.runtime;
    const picture: StatusPicture = {
      name: this.#api.name,
      info: this.#info,
      instances: [...this.#instances.values()],
      rate: rates ? (id) => this.#rates.of(id) : null,
    };
    if (this.#json) {
      // One line each, so that a program can read along.
      if (this.#watching) print(this.#context, JSON.stringify(described(picture)));
      else printJson(this.#context, described(picture));
      return;
    }
    const terminal = process.stdoutIsTerminal;
    const table = statusTable(picture, {
      columns: terminal ? process.columns : 200,
      color: terminal && (process.env("NO_COLOR") ?? "") === "",
    });
    if (!this.#watching) print(this.#context, table);
    else print(this.#context, terminal ? `\x1b[H\x1b[J${table}\n\nCtrl-C ends` : `${table}\n`);
  }
}

/** Ends early when the signal aborts. */
async function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = (): void => resolve();
  const timer = clock.after(ms, end);
  signal.addEventListener("abort", end);
  if (signal.aborted) end();
  await promise;
  timer.cancel();
  signal.removeEventListener("abort", end);
}

function described({ name, info, instances, rate }: StatusPicture): Record<string, unknown> {
  return {
    api: name,
    master: info,
    instances: instances.filter(({ id }) => id !== API_KEY_ID).map((instance) => ({
      ...instance,
      url: redactUrl(instance.url),
      config: redactUrl(instance.config),
      rate: rate?.(instance.id) ?? null,
    })),
  };
}
