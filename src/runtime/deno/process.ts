/**
 * This process on Deno.
 *
 * @module
 */
import process from "node:process";
import type { Process } from "../types.ts";

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
