/**
 * This process on Node.
 *
 * @module
 */
import process from "node:process";
import type { Process } from "../types.ts";
import { endTurn } from "./end_turn.ts";

const STANDARD_OUTPUT = 1;
/** How long to wait for room in a pipe that does not say when there is some. */
const FULL_PIPE_MS = 20;

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
  readInput: (take) =>
    new Promise((resolve) => {
      process.stdin.on("data", take);
      for (const end of ["end", "error", "close"]) process.stdin.once(end, () => resolve());
    }),
  // `process.stdout` waits inside the call while a pipe is full.
  async writeOutput(bytes) {
    for (let start = 0; start < bytes.length;) {
      const count = await writeSome(bytes.subarray(start));
      if (count === 0) return;
      start += count;
    }
  },
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
  endTurn,
};

/** 0 when nobody reads any more. */
function writeSome(bytes: Uint8Array): Promise<number> {
  return new Promise((resolve) => {
    process.getBuiltinModule("node:fs").write(STANDARD_OUTPUT, bytes, (error, count) => {
      if (error === null) resolve(count);
      // The reader's end of the pipe does not wait: try again when there is room.
      else if (error.code === "EAGAIN") setTimeout(() => resolve(writeSome(bytes)), FULL_PIPE_MS);
      else resolve(0);
    });
  });
}

/** Streams that already have the handler for a closed pipe. */
const guarded = new WeakSet<object>();

function write(stream: NodeJS.WriteStream, text: string): void {
  if (!guarded.has(stream)) {
    guarded.add(stream);
    stream.on("error", () => {});
  }
  if (!stream.destroyed) stream.write(text);
}
