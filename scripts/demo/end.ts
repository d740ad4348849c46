/**
 * One end of the demonstration's tunnel: a process of the command, with the permissions that it needs and no more.
 *
 * @module
 */

import { join } from "node:path/posix";
import { minimalPermissions } from "../../src/config/permissions.ts";
import { defaultSettings } from "../../src/config/settings.ts";
import { parseTunnelUrl, redactUrl } from "../../src/config/tunnel_url.ts";

/** What of `deno run` depends on the URL. */
export interface EndCommand {
  readonly name: string;
  readonly url: string;
  readonly permissions: readonly string[];
}

const CLI = join(import.meta.dirname!, "../../cli.ts");
const READY_MS = 20_000;
const STOP_MS = 3_000;
const KEPT_LINES = 8;

/** The command of one end. */
export function endCommand(name: string, url: string): EndCommand {
  const { config } = parseTunnelUrl(url, { settings: defaultSettings, strict: true });
  return { name, url, permissions: minimalPermissions(config).flags };
}

/** The command line for people, without the key; the variables that it may read are cut short. */
export function shownCommand({ url, permissions }: EndCommand): string {
  const flags = permissions.map((flag) => flag.replace(/^(--allow-env=NP_)\w+,.*/, "$1..."));
  return `deno run --no-prompt ${flags.join(" ")} cli.ts "${redactUrl(url)}"`;
}

/** A running end. Disposing stops it: first with SIGTERM, after 3 s with SIGKILL. */
export class End implements AsyncDisposable {
  readonly name: string;
  /** Resolves with the exit code when the process is gone and its output was read. */
  readonly exited: Promise<number>;
  /** Receives every line from now on. */
  onLine: (line: string) => void = () => {};
  readonly #child: Deno.ChildProcess;
  readonly #lines: string[] = [];
  readonly #found = new Map<RegExp, (match: RegExpExecArray) => void>();

  constructor(command: EndCommand) {
    this.name = command.name;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", ...command.permissions, CLI, command.url],
      env: { NO_COLOR: "1", NP_REPORT_INTERVAL: "1s", NP_SHUTDOWN_TIMEOUT: "1s" },
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
        this.onLine(line);
      }
    }
  }
}
