/**
 * A master as a real process, with pairs of instances that reach each other.
 *
 * @module
 */
import { ApiClient } from "../../src/command/api_client.ts";
import { Secret } from "../../src/config/secret.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import type { Bench } from "./bench.ts";
import { freePort } from "./ports.ts";
import { delay, processTree, proportionalMegabytes, residentMegabytes, until } from "./proc_files.ts";
import type { Running } from "./processes.ts";

const READY_MS = 20_000;
const CONNECT_MS = 60_000;
const LOOK_MS = 200;
const SETTLE_MS = 5000;

/** A master that answers. */
export interface MasterProcess {
  readonly running: Running;
  readonly api: ApiClient;
}

/** Starts a master whose state is in `folder`. */
export async function startMasterProcess(bench: Bench, folder: string): Promise<MasterProcess> {
  const port = freePort();
  const flags = bench.ends.kind === "deno" ? ["--unstable-net"] : [];
  const words = [...bench.ends.program, ...flags, bench.options.cli, `master://127.0.0.1:${port}/api?log=error`];
  const running = bench.processes.start("master", words, { env: { NP_STATE_DIR: folder } });
  let ended = false;
  void running.exited.then(() => ended = true);
  let key = "";
  const answers = (): boolean => {
    key = storedKey(folder);
    return ended || key !== "";
  };
  await until("the master's state", answers, READY_MS);
  const base = new URL(`http://127.0.0.1:${port}/api/v1`);
  const target = { base, key: new Secret(key), extraCa: null, verify: true };
  const api = new ApiClient(target, await detectRuntime());
  for (;;) {
    if (ended) throw new Error(`The master ended\n${running.output()}`);
    try {
      await api.get("/info");
      return { running, api };
    } catch {
      // It does not listen yet; `ended` says when it never will.
      await delay(20);
    }
  }
}

/** Creates servers and clients: `tls=1`, `links` ready links each, in front of the backend. */
export async function createPairs(
  { api }: MasterProcess,
  key: string,
  { count, links, backend }: { readonly count: number; readonly links: number; readonly backend: number },
): Promise<void> {
  for (let pair = 0; pair < count; pair++) {
    const [tunnel, entry] = [freePort(), freePort()];
    for (
      const url of [
        `server://${key}@127.0.0.1:${tunnel}/127.0.0.1:${entry}?tls=1&mode=1&log=error`,
        `client://${key}@127.0.0.1:${tunnel}/127.0.0.1:${backend}?mode=2&min=${links}&log=error`,
      ]
    ) {
      const { status, body } = await api.request("POST", "/instances", { url });
      if (status !== 201) throw new Error(`POST /instances answered ${status}: ${JSON.stringify(body)}`);
    }
  }
}

/** Waits until `count` instances run and every client has its links. */
export async function allConnected({ api }: MasterProcess, count: number, links: number): Promise<void> {
  const deadline = performance.now() + CONNECT_MS;
  for (;;) {
    const instances = (await api.instances()).filter(({ type }) => type !== "");
    const ready = instances.filter(({ type, status, pool }) =>
      status === "running" && (type === "server" || pool >= links)
    );
    if (ready.length === count) return;
    if (performance.now() > deadline) throw new Error(`${ready.length} of ${count} instances became ready`);
    await delay(LOOK_MS);
  }
}

/** Memory of the whole process tree, settled. */
export async function treeMemory({ running }: MasterProcess): Promise<TreeMemory> {
  await delay(SETTLE_MS);
  const pids = processTree(running.pid);
  const sum = (of: (pid: number) => number): number => pids.reduce((total, pid) => total + of(pid), 0);
  return { processes: pids.length, resident: sum(residentMegabytes), proportional: sum(proportionalMegabytes) };
}

/** Megabytes of a process tree. */
export interface TreeMemory {
  readonly processes: number;
  /** Pages that several processes share count for each of them. */
  readonly resident: number;
  /** Shared pages are divided between them. */
  readonly proportional: number;
}

function storedKey(folder: string): string {
  try {
    const text = Deno.readTextFileSync(`${folder}/state/nodepass.json`);
    return /"apiKey":\s*"([0-9a-f]{32})"/.exec(text)?.[1] ?? "";
  } catch {
    return "";
  }
}
