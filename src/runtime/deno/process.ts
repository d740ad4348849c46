/**
 * This process on Deno.
 *
 * @module
 */
import process from "node:process";
import type { Process } from "../types.ts";

const INPUT_BYTES = 65_536;

/** This process. */
export const denoProcess: Process = {
  get args() {
    return Deno.args;
  },
  get pid() {
    return Deno.pid;
  },
  get execPath() {
    return Deno.execPath();
  },
  get standalone() {
    return Deno.build.standalone;
  },
  env(name) {
    try {
      return Deno.env.get(name);
    } catch {
      return undefined;
    }
  },
  stdout: (text) => write(Deno.stdout, text),
  stderr: (text) => write(Deno.stderr, text),
  async readInput(take) {
    const buffer = new Uint8Array(INPUT_BYTES);
    try {
      for (let count = await Deno.stdin.read(buffer); count !== null; count = await Deno.stdin.read(buffer)) {
        take(buffer.subarray(0, count));
      }
    } catch {
      // Whoever wrote is gone.
    }
  },
  async writeOutput(bytes) {
    try {
      for (let start = 0; start < bytes.length;) start += await Deno.stdout.write(bytes.subarray(start));
    } catch {
      // Nobody reads the pipe any more.
    }
  },
  get stdoutIsTerminal() {
    return Deno.stdout.isTerminal();
  },
  get columns() {
    try {
      return Deno.consoleSize().columns;
    } catch {
      return 80;
    }
  },
  setTitle(title) {
    try {
      process.title = title;
    } catch {
      // A title is only for people who look at a process list.
    }
  },
  exit: (code) => Deno.exit(code),
  onSignal(name, handler) {
    Deno.addSignalListener(name, handler);
    return () => Deno.removeSignalListener(name, handler);
  },
  endTurn: () => {},
};

const encoder = new TextEncoder();

function write(stream: typeof Deno.stdout, text: string): void {
  const bytes = encoder.encode(text);
  try {
    for (let start = 0; start < bytes.length;) start += stream.writeSync(bytes.subarray(start));
  } catch {
    // Nobody reads the pipe any more.
  }
}
