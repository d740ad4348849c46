/**
 * This process on Node.
 *
 * @module
 */
import process from "node:process";
import type { Process } from "../types.ts";

/** This process. */
export const nodeProcess: Process = {
  get args() {
    return process.argv.slice(2);
  },
  get pid() {
    return process.pid;
  },
  get execPath() {
    return process.execPath;
  },
  get standalone() {
    return process.getBuiltinModule("node:sea")?.isSea() ?? false;
  },
  env: (name) => process.env[name],
  stdout: (text) => write(process.stdout, text),
  stderr: (text) => write(process.stderr, text),
  get stdoutIsTerminal() {
    return process.stdout.isTTY === true;
  },
  get columns() {
    return process.stdout.columns ?? 80;
  },
  setTitle(title) {
    process.title = title;
  },
  exit: (code) => process.exit(code),
  onSignal(name, handler) {
    process.on(name, handler);
    return () => void process.off(name, handler);
  },
};

/** Streams that already have the handler for a closed pipe. */
const guarded = new WeakSet<object>();

function write(stream: NodeJS.WriteStream, text: string): void {
  if (!guarded.has(stream)) {
    guarded.add(stream);
    stream.on("error", () => {});
  }
  if (!stream.destroyed) stream.write(text);
}
