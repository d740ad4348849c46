/**
 * `nodepass master` as a process, with a state of its own.
 *
 * @module
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path/posix";
import { type CheckedApi, checkedApi } from "./checked_api.ts";
import { type NodePassProcess, type ProcessOptions, startCommand } from "./process.ts";

/** Options of {@linkcode MasterProcess}. */
export interface MasterProcessOptions extends Pick<ProcessOptions, "runtime" | "env"> {
  /** Deno permissions, for the folder of its state. @default all */
  readonly permissions?: (directory: string) => readonly string[];
  /** @default master://127.0.0.1:0/api */
  readonly url?: string;
}

/** A master that can be ended and started again on the same state. Disposing kills it and removes the state. */
export class MasterProcess implements AsyncDisposable {
  /** Folder that NP_STATE_DIR names. */
  readonly directory: string;
  /** The process of now. */
  process: NodePassProcess;
  /** Its API; every answer is held against the document. */
  api: CheckedApi;
  /** `http://127.0.0.1:port/api/v1` */
  base = "";
  key = "";
  readonly #options: MasterProcessOptions;

  private constructor(directory: string, options: MasterProcessOptions) {
    this.directory = directory;
    this.#options = options;
    this.process = this.#spawn();
    this.api = checkedApi("http://127.0.0.1/api/v1", "");
  }

  /** Starts the first one and waits until it listens. */
  static async start(options: MasterProcessOptions = {}): Promise<MasterProcess> {
    const master = new MasterProcess(await mkdtemp(join(tmpdir(), "nodepass-master-")), options);
    try {
      await master.#listening();
      return master;
    } catch (error) {
      await master[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The port of the API. */
  get port(): number {
    return Number(new URL(this.base).port);
  }

  /** Path of the state file. */
  get stateFile(): string {
    return join(this.directory, "state", "nodepass.json");
  }

  /** Starts another one on the same state; the one before has to be gone. */
  async again(): Promise<void> {
    this.process = this.#spawn();
    await this.#listening();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true, force: true });
  }

  #spawn(): NodePassProcess {
    const { url = "master://127.0.0.1:0/api", env = {}, permissions, ...options } = this.#options;
    return startCommand([url], {
      ...options,
      ...(permissions === undefined ? {} : { permissions: permissions(this.directory) }),
      env: { NP_ENGINES: "2", ...env, NP_STATE_DIR: this.directory },
    });
  }

  async #listening(): Promise<void> {
    const line = await this.process.line("Master started");
    this.base = /url=(\S+)/.exec(line)![1]!;
    this.key = JSON.parse(await readFile(this.stateFile, "utf8")).state.apiKey;
    this.api = checkedApi(this.base, this.key);
  }
}
