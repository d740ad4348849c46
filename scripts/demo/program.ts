/**
 * A process of the command, started as anybody starts it.
 *
 * @module
 */

import { join } from "node:path/posix";

const CLI = join(import.meta.dirname!, "../../cli.ts");
const READY_MS = 20_000;
const STOP_MS = 8_000;
const KEPT_LINES = 12;

/** How one is started. */
export interface ProgramOptions {
  readonly name: string;
  readonly args: readonly string[];
  readonly permissions: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A running command. Disposing stops it: first with SIGTERM, after 8 s with SIGKILL. */
export class Program implements AsyncDisposable {
  readonly name: string;
  /** Resolves with the exit code when the process is gone and its output was read. */
  readonly exited: Promise<number>;
  readonly #child: Deno.ChildProcess;
  readonly #lines: string[] = [];
  readonly #found = new Map<RegExp, (match: RegExpExecArray) => void>();

  constructor({ name, args, permissions, env }: ProgramOptions) {
    this.name = name;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", ...permissions, CLI, ...args],
      env: { NO_COLOR: "1", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const drained = Promise.all([this.#drain(this.#child.stdout), this.#drain(this.#child.stderr)]);
    this.exited = Promise.all([this.#child.status, drained]).then(([{ code }]) => code);
  }

  /** The last lines that it wrote. */
  get output(): string {
    return this.#lines.map((line) => `  ${this.name}: ${line}`).join("\n");
  }

  /** The first line that matches, from the start on; rejects when the process ends or 20 s pass without one. */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>();
    const fail = (why: string): void => reject(new Error(`The ${this.name} is not ready: ${why}\n${this.output}`));
    const timer = setTimeout(() => fail(`${READY_MS / 1000} s passed`), READY_MS);
    void this.exited.then((code) => fail(`it ended with exit code ${code}`));
    this.#found.set(pattern, resolve);
    for (const line of this.#lines) this.#look(line);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#found.delete(pattern);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal("SIGTERM");
    const timer = setTimeout(() => this.#signal("SIGKILL"), STOP_MS);
    await this.exited;
    clearTimeout(timer);
  }

  #signal(name: Deno.Signal): void {
    try {
      this.#child.kill(name);
    } catch {
      // It has ended already.
    }
  }

  #look(line: string): void {
    for (const [pattern, found] of this.#found) {
      const match = pattern.exec(line);
      if (match !== null) found(match);
    }
  }

  async #drain(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        this.#lines.push(line);
        if (this.#lines.length > KEPT_LINES) this.#lines.shift();
        this.#look(line);
      }
    }
  }
}
