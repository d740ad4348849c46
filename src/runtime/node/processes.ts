/**
 * Other processes through `node:child_process`, which both runtimes have.
 *
 * @module
 */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import process from "node:process";
import { toNodePassError } from "../error_map.ts";
import type { ChildExit, ChildProcess, Processes, SpawnOptions } from "../types.ts";

/** Processes of the machine. */
export const nodeProcesses: Processes = { spawn };

/** Loaded when it is asked for: hardly any program starts others. */
function childProcess(): typeof import("node:child_process") {
  return process.getBuiltinModule("node:child_process");
}

function spawn({ command, args, env }: SpawnOptions): ChildProcess {
  let child: ChildProcessWithoutNullStreams;
  try {
    child = childProcess().spawn(command, args, { env: { ...process.env, ...env }, stdio: "pipe" });
  } catch (error) {
    // A missing permission shows here, everything else as an event.
    return neverStarted({ code: null, signal: null, error: toNodePassError(error, `Cannot start ${command}`) });
  }
  let over = false;
  const exited = new Promise<ChildExit>((resolve) => {
    child.once("exit", () => over = true);
    child.once("close", (code, signal) => resolve({ code, signal, error: null }));
    child.once("error", (error) => {
      if (child.pid !== undefined) return;
      over = true;
      resolve({ code: null, signal: null, error: toNodePassError(error, `Cannot start ${command}`) });
    });
  });
  // A process that goes away breaks its pipes: `exited` tells.
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on("error", () => {});
  return {
    pid: child.pid ?? null,
    exited,
    write: (bytes) => write(child, bytes),
    endInput: () => void child.stdin.end(),
    onOutput: taking(child.stdout),
    onErrorOutput: taking(child.stderr),
    kill(signal = "SIGKILL") {
      if (over || child.pid === undefined) return;
      try {
        // `child.kill` of Deno does nothing the second time.
        process.kill(child.pid, signal);
      } catch {
        // It went in the meantime.
      }
    },
  };
}

function write({ stdin }: ChildProcessWithoutNullStreams, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (stdin.destroyed || stdin.writableEnded) resolve();
    else stdin.write(bytes, () => resolve());
  });
}

/** What comes before there is a handler is dropped like what nobody ever takes; nothing comes in the same turn. */
function taking(stream: NodeJS.ReadableStream): (take: (bytes: Uint8Array) => void) => void {
  let handler: (bytes: Uint8Array) => void = () => {};
  stream.on("data", (bytes: Uint8Array) => handler(bytes));
  return (take) => {
    handler = take;
  };
}

function neverStarted(exit: ChildExit): ChildProcess {
  return {
    pid: null,
    exited: Promise.resolve(exit),
    write: () => Promise.resolve(),
    endInput: () => {},
    onOutput: () => {},
    onErrorOutput: () => {},
    kill: () => {},
  };
}
