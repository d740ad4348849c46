/**
 * Starts a front door in a process of its own and measures it from outside.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { detectRuntime } from "../../../../src/runtime/detect.ts";
import { underDeno } from "../../../harness.ts";
import type { Target } from "./front_door.ts";

/** Counters of the child's acceptor. */
export interface DoorReport {
  readonly pending: number;
  readonly refusals: Readonly<Record<string, number>>;
  /** Lines that were logged. */
  readonly lines: number;
  /** The different messages among them. */
  readonly messages: readonly string[];
  /** What a full collection leaves of the heap. */
  readonly heapMiB: number;
}

/** A door in another process. */
export interface DoorChild extends Target {
  report(): Promise<DoorReport>;
  /** Resident memory in MiB. */
  rssMiB(): number;
  descriptors(): number;
  /** Processor time so far in seconds. */
  cpuSeconds(): number;
  readonly alive: boolean;
  close(): Promise<void>;
}

/** Options of {@linkcode startDoor}. */
export interface DoorChildOptions {
  readonly tls: 0 | 1;
  readonly timeoutMs: number;
  /** Hard limit of open files. @default that of this process */
  readonly files?: number;
}

/** Starts it; resolves when it listens. */
export async function startDoor({ tls, timeoutMs, files }: DoorChildOptions): Promise<DoorChild> {
  const script = new URL("./door_process.ts", import.meta.url).pathname;
  // A small young generation: memory then shows what is kept, not when the engine chose to collect.
  const engine = "--expose-gc --max-semi-space-size=4".split(" ");
  const run = underDeno
    ? [process.execPath, "run", "-A", "--unstable-net", "--quiet", `--v8-flags=${engine.join()}`]
    : [process.execPath, ...engine];
  const limit = files === undefined ? [] : ["prlimit", `--nofile=${files}:${files}`];
  const [command, ...args] = [...limit, ...run, script, String(tls), String(timeoutMs)];
  const child = spawn(command!, args, { stdio: ["pipe", "pipe", "inherit"] });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async <T>(): Promise<T> => JSON.parse((await lines.next()).value ?? "null") as T;
  const { port, caPem } = await answer<{ port: number; caPem: string | null }>();
  const read = (name: string): string => readFileSync(`/proc/${child.pid}/${name}`, "utf8");
  return {
    runtime: await detectRuntime(),
    port,
    caPem,
    report() {
      child.stdin.write("\n");
      return answer<DoorReport>();
    },
    rssMiB: () => Number(/VmRSS:\s+(\d+)/.exec(read("status"))![1]) / 1_024,
    descriptors: () => readdirSync(`/proc/${child.pid}/fd`).length,
    cpuSeconds() {
      const [user, system] = read("stat").split(") ")[1]!.split(" ").slice(11, 13).map(Number);
      return (user! + system!) / 100;
    },
    get alive() {
      return child.exitCode === null && child.signalCode === null;
    },
    async close() {
      child.stdin.end();
      child.kill("SIGKILL");
      await exited;
      await lines.return?.();
    },
  };
}
