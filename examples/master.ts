/**
 * A master inside a program: tunnels made, watched and ended over HTTP, kept over restarts.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type MasterHandle, startMaster } from "nodepass/master";

/** What of an instance this program looks at. */
interface Instance {
  readonly id: string;
  readonly alias: string;
  readonly status: string;
  readonly tcprx: number;
}

/** Asks the API of a master. */
async function ask<T>(master: MasterHandle, method: string, path: string, body?: unknown): Promise<T> {
  const headers = { "X-API-Key": master.key.reveal(), connection: "close" };
  const answer = await fetch(`${master.apiUrl}${path}`, { method, headers, body: JSON.stringify(body) ?? null });
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
  return await answer.json() as T;
}

/** The first event about this instance that fits. */
async function event(master: MasterHandle, id: string, fits: (instance: Instance) => boolean): Promise<Instance> {
  const headers = { "X-API-Key": master.key.reveal() };
  const answer = await fetch(`${master.apiUrl}/events`, { headers });
  let rest = "";
  for await (const part of answer.body!.pipeThrough(new TextDecoderStream())) {
    const frames = (rest + part).split("\n\n");
    rest = frames.pop()!;
    for (const frame of frames) {
      const data = /^data: (.*)$/m.exec(frame)?.[1];
      const instance: Instance | null = data === undefined ? null : JSON.parse(data).instance;
      if (instance?.id !== id || !fits(instance)) continue;
      // Ending the loop cancels the stream, and with it the request.
      return instance;
    }
  }
  throw new Error("The events ended");
}

const greeter = createServer((socket) => socket.end("hello from the service")).listen(0, "127.0.0.1");
await once(greeter, "listening");
const target = (greeter.address() as AddressInfo).port;
// Instances of a master say their ports; this one is free now.
const probe = createServer().listen(0, "127.0.0.1");
await once(probe, "listening");
const entry = (probe.address() as AddressInfo).port;
probe.close();

const stateDir = await mkdtemp(join(tmpdir(), "nodepass-example-"));
let master = await startMaster("master://127.0.0.1:0", { stateDir });
const url = `client://127.0.0.1:${entry}/127.0.0.1:${target}?mode=1&noudp=1`;
const { id } = await ask<Instance>(master, "POST", "/instances", { alias: "greeter", url });
await event(master, id, ({ status }) => status === "running");

console.log(`visitor got: ${await text(connect(entry, "127.0.0.1"))}`);
await master.close();

// The next start brings it back, with its counters and the same API key.
master = await startMaster("master://127.0.0.1:0", { stateDir });
const { alias, tcprx } = await ask<Instance>(master, "GET", `/instances/${id}`);
console.log(`after a restart: "${alias}", ${tcprx} bytes from the service so far`);
await master.close();

await rm(stateDir, { recursive: true });
greeter.close();
