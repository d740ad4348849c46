/**
 * The master of the demonstration: a process with a state folder of its own, asked through its API.
 *
 * @module
 */

import { ApiClient } from "../../src/command/api_client.ts";
import { followEvents } from "../../src/command/api_events.ts";
import { Rates } from "../../src/command/rates.ts";
import { masterPermissions } from "../../src/config/master_permissions.ts";
import { parseMasterUrl } from "../../src/config/master_url.ts";
import { Secret } from "../../src/config/secret.ts";
import { defaultSettings } from "../../src/config/settings.ts";
import type { InstanceView } from "../../src/master/instance.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { Program } from "./program.ts";
import { megabytes } from "./screen.ts";

/** A master that listens. */
export class Master implements AsyncDisposable {
  readonly api: ApiClient;
  /** What a browser asks for. */
  readonly key: string;
  readonly #program: Program;

  private constructor(program: Program, api: ApiClient, key: string) {
    this.#program = program;
    this.api = api;
    this.key = key;
  }

  /** Starts it with its state in `folder`. */
  static async start(port: number, folder: string): Promise<Master> {
    const env = { NP_STATE_DIR: folder, NP_REPORT_INTERVAL: "1s", NP_SHUTDOWN_TIMEOUT: "1s" };
    const stateDirectory = `${folder}/state`;
    const permissions = permissionsOf(masterUrl(port), stateDirectory);
    const program = new Program({ name: "master", args: [masterUrl(port)], permissions, env });
    try {
      await program.line(/listens|listening|started/i);
      const reading = [`--allow-read=${stateDirectory}`, "--allow-env"];
      await using reader = new Program({ name: "state", args: ["state", "key"], permissions: reading, env });
      const [key] = await reader.line(/\b[0-9a-f]{32}\b/);
      const base = new URL(`http://127.0.0.1:${port}/api/v1`);
      const target = { base, key: new Secret(key), extraCa: null, verify: true };
      return new Master(program, new ApiClient(target, await detectRuntime()), key);
    } catch (error) {
      await program[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Resolves with its exit code. */
  get exited(): Promise<number> {
    return this.#program.exited;
  }

  /** The last lines that it wrote. */
  get output(): string {
    return this.#program.output;
  }

  /** Creates an instance, which starts at once. */
  async create(alias: string, url: string): Promise<InstanceView> {
    const { status, body } = await this.api.request("POST", "/instances", { alias, url });
    if (status !== 201) throw new Error(`POST /instances answered ${status}: ${JSON.stringify(body)}`);
    return body as InstanceView;
  }

  /** Calls `show` with what each update of this instance says, until the signal. */
  async watch(id: string, stopped: AbortSignal, show: (instance: InstanceView, line: string) => void): Promise<void> {
    const rates = new Rates();
    await followEvents(this.api, {
      signal: stopped,
      lastEventId: null,
      onEvent: ({ type, time, instance }) => {
        if (instance?.id !== id || type !== "update" && type !== "initial") return;
        if (type === "update") rates.update(instance, time);
        show(instance, trafficLine(instance, rates));
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }
}

/** What `nodepass permissions` prints for it. */
function permissionsOf(url: string, stateDirectory: string): readonly string[] {
  const { config } = parseMasterUrl(url);
  return masterPermissions(config, defaultSettings, { stateDirectory, program: Deno.execPath(), takenOver: [] }).flags;
}

/** The URL of a master on this machine alone. */
export function masterUrl(port: number): string {
  return `master://127.0.0.1:${port}/api?log=info`;
}

function trafficLine({ id, ping, pool, tcps, tcprx, tcptx }: InstanceView, rates: Rates): string {
  const rate = rates.of(id);
  const perSecond = rate === null ? "" : ` (${megabytes(rate.rx)}/s in, ${megabytes(rate.tx)}/s out)`;
  return `   round trip ${ping} ms, ${pool} links ready, sessions: ${tcps}, ` +
    `${megabytes(tcprx)} from visitors, ${megabytes(tcptx)} to them${perSecond}`;
}
