/**
 * The two ends of a tunnel, or a single end, as real processes.
 *
 * @module
 */
import { freePort } from "./ports.ts";
import { establishedOn, isListening, until } from "./proc_files.ts";
import type { Processes, Running } from "./processes.ts";

const READY_MS = 15_000;
/** Default of `min`. */
const LINKS = 64;

/** Permissions of a Deno end: what a tunnel needs that dials anywhere. */
const DENO_FLAGS = [
  "run",
  "--no-prompt",
  "--unstable-net",
  "--allow-net",
  "--allow-env",
  "--allow-read",
  "--allow-sys",
];

/** What an end can run on. */
export type RuntimeKind = "deno" | "node";

/** How an end is started. */
export interface EndRuntime {
  readonly kind: RuntimeKind;
  /** Name and version. */
  readonly name: string;
  /** The runtime alone, for a program of its own. */
  readonly program: readonly string[];
  /** Everything before the URL. */
  readonly command: readonly string[];
  /** Made by `keygen`, so that no key stretching is measured. */
  readonly key: string;
}

/** Something that takes visitors. */
export interface Entry {
  readonly name: string;
  /** Where visitors connect. */
  readonly port: number;
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** Options of {@linkcode startTunnel}. */
export interface TunnelOptions {
  readonly tls: 0 | 1;
  /** Reverse: visitors come to the server. @default "reverse" */
  readonly flow?: "reverse" | "forward";
  /** Port of the target. */
  readonly backend: number;
  /** Ready links. @default 64 */
  readonly links?: number;
  /** Dialect between the ends. @default "secure" */
  readonly wire?: "secure" | "1.14";
}

/** Finds the runtime and makes a key. */
export async function resolveEnds(processes: Processes, runtime: RuntimeKind, cli: string): Promise<EndRuntime> {
  const path = runtime === "deno" ? Deno.execPath() : await findNode(processes);
  const program = runtime === "deno" ? [path, "run", "--no-prompt", "-A"] : [path];
  const command = runtime === "deno" ? [path, ...DENO_FLAGS, cli] : [path, cli];
  const version = (await processes.run([path, "--version"], 5000)).trim().split("\n")[0]!;
  const name = runtime === "deno" ? version.replace(/ \(.*/, "") : `node ${version.slice(1)}`;
  const key = (await processes.run([...command, "keygen"], 10_000)).trim();
  return { kind: runtime, name, program, command, key };
}

/** Starts a server and a client and waits until the pool is full. */
export async function startTunnel(processes: Processes, ends: EndRuntime, options: TunnelOptions): Promise<Entry> {
  const { tls, flow = "reverse", backend, links = LINKS, wire = "secure" } = options;
  const [tunnel, entry] = [freePort(), freePort()];
  const [atServer, atClient] = flow === "reverse" ? [entry, backend] : [backend, entry];
  const mode = flow === "reverse" ? 1 : 2;
  const urls = [
    `server://${ends.key}@127.0.0.1:${tunnel}/127.0.0.1:${atServer}?tls=${tls}&mode=${mode}&wire=${wire}&log=error`,
    `client://${ends.key}@127.0.0.1:${tunnel}/127.0.0.1:${atClient}?mode=2&wire=${wire}&log=error${
      links === LINKS ? "" : `&min=${links}`
    }`,
  ];
  const server = processes.start("server", [...ends.command, urls[0]!]);
  await ready([server], `the server to listen on ${tunnel}`, () => isListening(tunnel));
  const client = processes.start("client", [...ends.command, urls[1]!]);
  const full = () => isListening(entry) && establishedOn(tunnel) >= links + 1;
  await ready([server, client], `${links} links and a listener on ${entry}`, full);
  return entryOf(`tunnel tls ${tls}${wire === "secure" ? "" : ` wire ${wire}`}`, entry, [server, client]);
}

/** Starts a client that forwards without a server. */
export async function startSingle(processes: Processes, ends: EndRuntime, backend: number): Promise<Entry> {
  const port = freePort();
  const url = `client://127.0.0.1:${port}/127.0.0.1:${backend}?mode=1&log=error`;
  const end = processes.start("single-end client", [...ends.command, url]);
  await ready([end], `the client to listen on ${port}`, () => isListening(port));
  return entryOf("single-end", port, [end]);
}

/** Makes an {@linkcode Entry} of processes. */
export function entryOf(name: string, port: number, running: readonly Running[]): Entry {
  return {
    name,
    port,
    pids: running.map((end) => end.pid),
    stop: async () => void await Promise.all(running.map((end) => end.stop())),
  };
}

/** Waits for a fact; an end that ended or never got there is an error with what it printed. */
async function ready(running: readonly Running[], what: string, fact: () => boolean): Promise<void> {
  let ended: string | undefined;
  for (const end of running) void end.exited.then((code) => ended = `${end.name} ended with code ${code}`);
  try {
    await until(what, () => ended !== undefined || fact(), READY_MS);
    if (ended !== undefined) throw new Error(ended);
  } catch (error) {
    const outputs = running.map((end) => `${end.name}: ${end.output().slice(-600)}`).join("\n");
    await Promise.all(running.map((end) => end.stop()));
    throw new Error(`${(error as Error).message}\n${outputs}`);
  }
}

/** Node 22 or later: from the path, else through npx. */
async function findNode(processes: Processes): Promise<string> {
  try {
    const version = await processes.run(["node", "--version"], 5000);
    if (Number(/^v(\d+)/.exec(version)?.[1]) >= 22) return "node";
  } catch {
    // Not on the path.
  }
  const found = await processes.run(["npx", "-y", "-p", "node@22", "which", "node"], 120_000);
  return found.trim().split("\n").at(-1)!;
}
