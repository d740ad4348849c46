/**
 * Agents in a process that can be killed. It is one of Node where there is Node: the HTTP/2 client of Deno 2.9.6 now and
 * then ends its process (SIGSEGV) when the server goes away, and it is Core that is tried here.
 *
 * @module
 */
import { join } from "node:path/posix";
import { nodeMissing, NodePassProcess, type RuntimeName } from "../../tests/e2e/process.ts";
import { ROOT } from "../gate/files.ts";
import { findNode } from "../gate/node_program.ts";
import type { AgentCounts } from "./agent.ts";
import type { Span } from "./traffic.ts";

/** What the agents are to do. */
export interface FleetPlan {
  /** Every call goes to one of them. */
  readonly cores: readonly { readonly base: string; readonly grpcPort: number }[];
  readonly nodes: readonly { readonly code: string; readonly key: string }[];
  /** Journals of the agents. */
  readonly folder: string;
  readonly span: Span;
  /** How many times faster than Core asks agents call. */
  readonly speed: number;
  /** See the options of an agent. */
  readonly spreadMs?: number;
  readonly mostRetryMs?: number;
  /** Shares of calls and of replies that are lost. */
  readonly lostCalls: number;
  readonly lostReplies: number;
}

/** Starts a script of this folder. */
export async function startScript(
  script: string,
  args: readonly string[],
  runtime: RuntimeName = nodeMissing === undefined ? "node" : "deno",
): Promise<NodePassProcess> {
  const path = join(ROOT, "scripts/core", script);
  const [program, ...first] = runtime === "deno"
    ? [Deno.execPath(), "run", "-A", "--quiet", "--no-check", "--cached-only", path]
    : [await findNode() ?? "node", "--disable-warning=ExperimentalWarning", path];
  const child = new Deno.Command(program!, {
    args: [...first, ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  return new NodePassProcess(child);
}

/** A fleet that comes back as often as it is killed. */
export class Fleet implements AsyncDisposable {
  readonly #path: string;
  #process: NodePassProcess | null = null;

  constructor(folder: string) {
    this.#path = join(folder, "plan.json");
  }

  /** Starts it. */
  async start(plan: FleetPlan): Promise<void> {
    await Deno.writeTextFile(this.#path, JSON.stringify(plan));
    this.#process = await startScript("fleet_child.ts", [this.#path]);
  }

  /** Kills it and starts it again on the same journals. */
  async restart(): Promise<void> {
    await this.kill();
    this.#process = await startScript("fleet_child.ts", [this.#path]);
  }

  async kill(): Promise<void> {
    this.#process?.signal("SIGKILL");
    await this.#process?.exited;
  }

  /** Waits until Core has everything. */
  async drained(ms: number): Promise<AgentCounts> {
    const running = this.#process!;
    const line = await running.line(/^drained /, { ms }).catch(async (error) => {
      const code = await Promise.race([running.exited, Promise.resolve("it runs")]);
      throw new Error(`The fleet has not drained (${code}): ${error instanceof Error ? error.message : error}`);
    });
    await running.exited;
    return JSON.parse(line.slice("drained ".length));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
