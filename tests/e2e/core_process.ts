/**
 * `nodepass core` as a process, with a database of its own.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path/posix";
import { type NodePassProcess, type ProcessOptions, startCommand } from "./process.ts";

/** Options of {@linkcode CoreProcess}. */
export interface CoreProcessOptions extends Pick<ProcessOptions, "runtime"> {
  /** Variables; ports are free ones and the database is a new file where they say nothing else. */
  readonly env?: Readonly<Record<string, string>>;
  /** Deno permissions, for its environment. @default all */
  readonly permissions?: (env: Readonly<Record<string, string>>) => readonly string[];
  /** Variables for the folder that goes with the process. */
  readonly files?: (folder: string) => Promise<Readonly<Record<string, string>>>;
}

/** A Core that can be ended and started again on the same database. Disposing kills it and removes the folder. */
export class CoreProcess implements AsyncDisposable {
  /** What goes with the process. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** The process of now. */
  process: NodePassProcess;
  /** `http://127.0.0.1:port` */
  base = "";
  grpcPort = 0;
  /** Of its first start. */
  adminToken = "";
  readonly #options: CoreProcessOptions;

  private constructor(folder: string, env: Readonly<Record<string, string>>, options: CoreProcessOptions) {
    this.folder = folder;
    this.env = env;
    this.#options = options;
    this.process = this.#spawn();
  }

  /** Starts the first one and waits until it listens. */
  static async start(options: CoreProcessOptions = {}): Promise<CoreProcess> {
    const folder = await mkdtemp(join(tmpdir(), "nodepass-core-"));
    const core = new CoreProcess(folder, {
      ...{ PORT: "0", GRPC_PORT: "0", DATABASE_URL: `sqlite:${join(folder, "data", "core.db")}` },
      ...await options.files?.(folder),
      ...options.env,
    }, options);
    try {
      await core.#listening();
      return core;
    } catch (error) {
      await core[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts another one on the same database; the one before has to be gone. */
  async again(): Promise<void> {
    this.process = this.#spawn();
    await this.#listening();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }

  #spawn(): NodePassProcess {
    const { runtime, permissions } = this.#options;
    return startCommand(["core"], {
      ...(runtime === undefined ? {} : { runtime }),
      ...(permissions === undefined ? {} : { permissions: permissions(this.env) }),
      env: this.env,
    });
  }

  async #listening(): Promise<void> {
    const line = await this.process.line("Core started");
    this.base = /http=(\S+)/.exec(line)![1]!;
    this.grpcPort = Number(/grpc=(\d+)/.exec(line)![1]!);
    if (this.adminToken !== "") return;
    this.adminToken = (await this.process.line("Admin token")).split(/\s+/).at(-1)!;
  }
}
