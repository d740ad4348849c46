/**
 * Processes of their own for what a test cannot do to itself: listen and stall, die of a signal.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { connect, type Socket } from "node:net";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { underDeno } from "../harness.ts";

/** Longer than a child of these tests takes for anything. */
const silenceMs = 30_000;

/** A running process whose output is read line by line. */
export interface Child {
  /** The next line that it prints; rejects when it ends before, or says nothing for 30 s. */
  line(): Promise<string>;
  kill(signal: "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGKILL"): void;
  /** Resolves when the process is gone: its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string | null>;
}

/** Starts a module of this folder under the runtime that runs the tests. */
export function startChild(file: string, ...rest: string[]): Child {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const options = underDeno ? ["run", "--no-check", "-A"] : ["--disable-warning=ExperimentalWarning"];
  const child = spawn(process.execPath, [...options, path, ...rest], { stdio: ["ignore", "pipe", "inherit"] });
  const lines: string[] = [];
  const decoder = new TextDecoder();
  let partial = "";
  let over = false;
  let wake = (): void => {};
  child.stdout.on("data", (data: Uint8Array) => {
    const parts = (partial + decoder.decode(data, { stream: true })).split("\n");
    partial = parts.pop() ?? "";
    lines.push(...parts);
    wake();
  });
  const ended = new Promise<number | string | null>((resolve) => {
    child.once("close", (code, signal) => {
      over = true;
      wake();
      resolve(signal ?? code);
    });
  });
  return {
    async line() {
      while (lines.length === 0 && !over) {
        await new Promise<void>((resolve, reject) => {
          const timer = setTimeout(() => reject(new Error("the child says nothing")), silenceMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      const line = lines.shift();
      if (line === undefined) throw new Error(`the child ended after "${partial}"`);
      return line;
    },
    // Under Deno `child.kill` does nothing the second time.
    kill(signal) {
      if (child.pid !== undefined) process.kill(child.pid, signal);
    },
    ended,
  };
}

/** Longer than a connect on this machine takes when there is room for it. */
const patienceMs = 100;

/** A listener whose backlog is full: connecting to it takes until the caller gives up. */
export async function stalledListener(): Promise<{ port: number; close(): Promise<void> }> {
  const child = startChild("runtime_stalled_child.ts");
  const port = Number(await child.line());
  const fillers: Socket[] = [];
  do fillers.push(connect(port, "127.0.0.1").on("error", () => {})); while (await connects(fillers.at(-1)));
  return {
    port,
    async close() {
      for (const filler of fillers) filler.destroy();
      child.kill("SIGKILL");
      await child.ended;
    },
  };
}

function connects(socket: Socket | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), patienceMs);
    socket?.once("connect", () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
