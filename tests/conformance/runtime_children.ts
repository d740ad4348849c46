/**
 * Processes of their own for what a test cannot do to itself: listen and stall, die of a signal.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { connect, type Socket } from "node:net";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { underDeno } from "../harness.ts";

/** Starts a module of this folder under the runtime that runs the tests. */
export function startChild(file: string): ChildProcess {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const args = underDeno ? ["run", "--no-check", "-A", path] : ["--disable-warning=ExperimentalWarning", path];
  return spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
}

/** The next line that a child prints. */
export function nextLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = "";
    const onData = (data: Uint8Array): void => {
      seen += new TextDecoder().decode(data);
      const end = seen.indexOf("\n");
      if (end === -1) return;
      child.stdout?.off("data", onData);
      resolve(seen.slice(0, end));
    };
    child.stdout?.on("data", onData);
    child.once("close", () => reject(new Error(`the child ended after "${seen}"`)));
  });
}

/** Resolves when the process is gone: its exit code, or the signal that ended it. */
export function ended(child: ChildProcess): Promise<number | string | null> {
  return new Promise((resolve) => child.once("close", (code, signal) => resolve(code ?? signal)));
}

/** A listener whose backlog is full: connecting to it takes until the caller gives up. */
export async function stalledListener(): Promise<{ port: number; close(): Promise<void> }> {
  const child = startChild("runtime_stalled_child.ts");
  const port = Number(await nextLine(child));
  const fillers: Socket[] = [];
  for (let index = 0; index < 8; index++) fillers.push(connect(port, "127.0.0.1").on("error", () => {}));
  // The first ones fit into the backlog; once they are connected the others hold what is left of it.
  await new Promise((resolve) => fillers[0]?.once("connect", resolve));
  return {
    port,
    async close() {
      for (const filler of fillers) filler.destroy();
      const gone = ended(child);
      child.kill("SIGKILL");
      await gone;
    },
  };
}
