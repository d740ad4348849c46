/**
 * The relay as a command: `fault_relay/main.ts LISTEN TARGET`, addresses as `127.0.0.1:10101`, faults as lines on
 * standard input.
 *
 * @module
 */
// `node:` modules: both runtimes lack a web API for lines of standard input.
import process from "node:process";
import { createInterface } from "node:readline";
import { detectRuntime } from "../../src/runtime/detect.ts";
import type { Direction, Directions, Faults } from "./faults.ts";
import { type FaultRelay, startFaultRelay } from "./relay.ts";

const HELP = `latency MS [up|down]       later by this much
bandwidth BYTES [up|down]  bytes per second, 0 = unlimited
hole on|off [up|down]      nothing passes
slice BYTES [up|down]      largest write, 0 = as it came
corrupt OFFSET [up|down]   one bit of this byte
limit BYTES [up|down]      reset after so many bytes
half-close up|down         ends that direction of every connection
reset                      resets every connection
list                       connections and their bytes
quit`;

function hostPort(text: string | undefined): { host: string; port: number } {
  const at = text?.lastIndexOf(":") ?? -1;
  const port = Number(text?.slice(at + 1));
  if (text === undefined || at < 1 || !Number.isInteger(port)) {
    throw new Error(`Address is "${text ?? ""}": expected host:port`);
  }
  return { host: text.slice(0, at), port };
}

function faultsOf(word: string, value: string | undefined): Partial<Faults> | null {
  if (word === "hole") return { blackHole: value === "on" };
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0) return null;
  switch (word) {
    case "latency":
      return { latencyMs: number };
    case "bandwidth":
      return { bytesPerSecond: number };
    case "slice":
      return { sliceBytes: number };
    case "corrupt":
      return { corruptAt: number };
    case "limit":
      return { limitBytes: number };
    default:
      return null;
  }
}

/** Obeys one line; what to print. */
async function obey(relay: FaultRelay, line: string): Promise<string> {
  const [word = "", value, directions = "both"] = line.trim().split(/\s+/);
  const connections = relay.connections();
  if (word === "reset") relay.reset();
  else if (word === "half-close" && (value === "up" || value === "down")) {
    await Promise.all(connections.map((connection) => connection.halfClose(value as Direction)));
  } else if (word === "list") {
    return connections.map((one) =>
      `${one.id} ${one.remote.host}:${one.remote.port} up ${one.bytes("up")} down ${one.bytes("down")}`
    )
      .join("\n");
  } else {
    const change = faultsOf(word, value);
    if (change === null || !["up", "down", "both"].includes(directions)) return HELP;
    relay.set(change, directions as Directions);
  }
  return "ok";
}

const runtime = await detectRuntime();
const [listen, target] = runtime.process.args.slice(-2);
const relay = await startFaultRelay(runtime, { listen: hostPort(listen), target: hostPort(target) });
runtime.process.stdout(`listening on ${relay.local.host}:${relay.local.port}\n`);
const quit = () => void relay.close().then(() => process.exit(0));
process.once("SIGINT", quit);
process.once("SIGTERM", quit);
// When the input ends, the relay stays: it may have been started in the background.
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === "quit") quit();
  else runtime.process.stdout(`${await obey(relay, line)}\n`);
}
