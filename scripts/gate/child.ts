/**
 * Runs one program with a time limit and keeps what it writes.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";

/** How a program ended. */
export interface ChildResult {
  /** The exit code; 124 when the limit was reached, 127 when the program could not be started. */
  readonly code: number;
  /** Both output streams in the order of arrival. */
  readonly output: string;
  /** Standard output alone. */
  readonly stdout: string;
}

/** How a program is run. */
export interface ChildOptions {
  /** After this time the whole process group is killed. */
  readonly limitMs: number;
  /** Variables on top of the inherited environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** The working directory. @default the root of the repository */
  readonly cwd?: string;
}

const running = new Set<ChildProcess>();

/** Runs a program in a process group of its own, with no standard input. */
export function runChild(command: readonly string[], options: ChildOptions): Promise<ChildResult> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  running.add(child);
  let output = "";
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => output += text);
  return new Promise((resolve) => {
    let limitReached = false;
    const timer = setTimeout(() => {
      limitReached = true;
      killGroup(child);
    }, options.limitMs);
    const finish = (code: number): void => {
      clearTimeout(timer);
      running.delete(child);
      // A child that ends may leave grandchildren behind; none may outlive its step.
      killGroup(child);
      resolve({ code, output, stdout });
    };
    child.once("error", (error) => {
      output += `Cannot run ${program}: ${error.message}\n`;
      finish(127);
    });
    child.once("exit", (code, signal) => {
      const settle = (): void => {
        if (limitReached) output += `\nKilled after ${Math.round(options.limitMs / 1000)} s\n`;
        finish(limitReached ? 124 : code ?? (signal === null ? 1 : 128));
      };
      // The pipes of a grandchild that is still alive would hold back "close" for ever.
      const patience = setTimeout(settle, 2000);
      child.once("close", () => {
        clearTimeout(patience);
        settle();
      });
    });
  });
}

/** Kills everything that is still running, for the end of the whole gate. */
export function killAll(): void {
  for (const child of running) killGroup(child);
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // The group is gone already.
  }
}
