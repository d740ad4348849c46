/**
 * One `nodepass` process under test: its lines as they come, its signals, its end.
 *
 * @module
 */
import { join } from "node:path/posix";
import { minimalPermissions } from "../../src/config/permissions.ts";
import { defaultSettings } from "../../src/config/settings.ts";
import { parseTunnelUrl } from "../../src/config/tunnel_url.ts";
import { ROOT } from "../../scripts/gate/files.ts";
import { findNode } from "../../scripts/gate/node_program.ts";

/** Which runtime runs the command. */
export type RuntimeName = "deno" | "node";

/** Options of {@linkcode startCommand}. */
export interface ProcessOptions {
  /** @default "deno" */
  readonly runtime?: RuntimeName;
  /** Variables on top of the inherited environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** More arguments, after the URL. */
  readonly flags?: readonly string[];
  /** A file that this process sees in place of the machine's hosts file, see {@linkcode ownHostsMissing}. */
  readonly hosts?: string;
  /** Deno permissions. @default the printed minimal ones for a URL, all for anything else */
  readonly permissions?: readonly string[];
}

const CLI = join(ROOT, "cli.ts");
const LINE_MS = 20_000;
const STOP_MS = 10_000;

const node = await findNode();
/** Why the cells on Node cannot run here; undefined when they can. */
export const nodeMissing: string | undefined = node === null ? "needs Node >= 22.18" : undefined;
// The next test file finds it at once.
if (node !== null) Deno.env.set("NODEPASS_NODE", node);

/** What stands before a command that has a hosts file of its own: a mount that only it sees. */
function withHosts(path: string): string[] {
  return ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', path];
}

/** Why processes cannot have a hosts file of their own here; undefined when they can. */
export async function ownHostsMissing(): Promise<string | undefined> {
  const [program, ...args] = withHosts("/etc/hosts");
  const { success } = await new Deno.Command(program!, { args: [...args, "true"], stdout: "null", stderr: "null" })
    .output().catch(() => ({ success: false }));
  return success ? undefined : "needs the right to mount";
}

/** Starts `nodepass <url>` under the permissions that `nodepass permissions <url>` prints. */
export function startUrl(url: string, options: ProcessOptions = {}): NodePassProcess {
  const { config } = parseTunnelUrl(url, { settings: defaultSettings, strict: false });
  const permissions = ["--no-prompt", ...minimalPermissions(config).flags];
  return startCommand([url], { permissions, ...options });
}

/** Starts `nodepass` with these arguments. */
export function startCommand(args: readonly string[], options: ProcessOptions = {}): NodePassProcess {
  const { runtime = "deno", env = {}, flags = [], permissions = ["-A"], hosts } = options;
  const command = runtime === "deno"
    ? [Deno.execPath(), "run", "--quiet", "--no-check", "--cached-only", ...permissions, CLI]
    : [node ?? "node", "--disable-warning=ExperimentalWarning", CLI];
  const [program, ...first] = hosts === undefined ? command : [...withHosts(hosts), ...command];
  const child = new Deno.Command(program!, {
    args: [...first, ...args, ...flags],
    // Away from the repository, as a user is.
    cwd: "/",
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  return new NodePassProcess(child);
}

/** See the module. Disposing kills it at once. */
export class NodePassProcess implements AsyncDisposable {
  /** Lines of both streams so far. */
  readonly lines: string[] = [];
  /** Lines of standard error alone. */
  readonly errorLines: string[] = [];
  /** The exit code; 128 and more after a signal. Resolves when all output is in `lines`. */
  readonly exited: Promise<number>;
  readonly #child: Deno.ChildProcess;
  readonly #watchers = new Set<() => void>();
  #ended = false;

  constructor(child: Deno.ChildProcess) {
    this.#child = child;
    const drained = Promise.all([
      this.#drain(child.stdout, [this.lines]),
      this.#drain(child.stderr, [this.lines, this.errorLines]),
    ]);
    this.exited = Promise.all([child.status, drained]).then(([{ code }]) => {
      this.#ended = true;
      this.#wake();
      return code;
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** All lines as one text. */
  get output(): string {
    return this.lines.join("\n");
  }

  /** The first line from number `from` on that matches; rejects after `ms` or when the process ended without it. */
  line(pattern: string | RegExp, { ms = LINE_MS, from = 0 }: { ms?: number; from?: number } = {}): Promise<string> {
    const fits = (line: string): boolean => typeof pattern === "string" ? line.includes(pattern) : pattern.test(line);
    return new Promise((resolve, reject) => {
      let at = from;
      const done = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
      };
      const fail = (why: string): void => {
        done();
        reject(new Error(`No line with ${pattern}: ${why}\n${this.output}`));
      };
      const look = (): void => {
        for (; at < this.lines.length; at++) {
          if (!fits(this.lines[at]!)) continue;
          done();
          return resolve(this.lines[at]!);
        }
        if (this.#ended) fail("the process ended");
      };
      const timer = setTimeout(() => fail(`${ms} ms passed`), ms);
      this.#watchers.add(look);
      look();
    });
  }

  /** Sends a signal; nothing happens when it ended already. */
  signal(name: Deno.Signal): void {
    try {
      if (!this.#ended) this.#child.kill(name);
    } catch {
      // It ended a moment ago.
    }
  }

  /** SIGTERM, and SIGKILL when that takes longer than 10 s; the exit code. */
  async stop(): Promise<number> {
    this.signal("SIGTERM");
    const timer = setTimeout(() => this.signal("SIGKILL"), STOP_MS);
    const code = await this.exited;
    clearTimeout(timer);
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGKILL");
    await this.exited;
  }

  async #drain(stream: ReadableStream<Uint8Array<ArrayBuffer>>, lists: readonly string[][]): Promise<void> {
    let rest = "";
    const add = (lines: readonly string[]): void => {
      for (const list of lists) list.push(...lines);
      if (lines.length > 0) this.#wake();
    };
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      add(lines);
    }
    if (rest !== "") add([rest]);
  }

  #wake(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}
