/**
 * What the runtime reaches without a tunnel: the same hops, made of nothing but reading and writing.
 *
 * @module
 */
import { deriveRoot } from "../../src/wire/secure/root_secret.ts";
import { createServerIdentity, deriveClientIdentity, INTERNAL_NAME } from "../../src/wire/secure/identity.ts";
import { listening } from "./backends.ts";
import type { Bench } from "./bench.ts";
import { type Entry, entryOf } from "./ends.ts";
import { freePort } from "./ports.ts";
import { isBound, until } from "./proc_files.ts";
import type { Running } from "./processes.ts";

const BOUND_MS = 5_000;

/** Bare copy loops in a row: 1 hop stands beside single-end, 2 hops beside a tunnel. */
export async function startBareLoops(bench: Bench, hops: 1 | 2, backend: number): Promise<Entry> {
  const running: Running[] = [];
  let port = backend;
  for (let hop = 0; hop < hops; hop++) {
    const next = port;
    port = freePort();
    const loop = bench.processes.start("bare loop", bareCommand(bench, "bare_loop", port, next));
    running.push(loop);
    await listening(loop, port);
  }
  return entryOf(`bare loop, ${hops} ${hops === 1 ? "hop" : "hops"}`, port, running);
}

/**
 * Two bare loops with links between them that are kept for the next visitor, inside TLS when asked for.
 *
 * Each chunk has four bytes before it that say how long it is; without them no link could serve twice.
 */
export async function startBarePair(bench: Bench, tls: 0 | 1, backend: number): Promise<Entry> {
  const [port, link] = [freePort(), freePort()];
  const files = tls === 0 ? [] : await writeIdentity(bench);
  const far = bench.processes.start("bare far end", bareCommand(bench, "bare_pair", "far", link, backend, ...files));
  await listening(far, link);
  const near = bench.processes.start("bare near end", bareCommand(bench, "bare_pair", "near", port, link, ...files));
  await listening(near, port);
  return entryOf(`bare pair, tls ${tls}`, port, [near, far]);
}

/** One bare program that receives datagrams and sends them on. */
export async function startBareDatagramHop(bench: Bench, target: number): Promise<Entry> {
  const port = freePort();
  const hop = bench.processes.start("bare hop", bareCommand(bench, "bare_datagrams", "hop", port, target));
  await until("the bare hop to be bound", () => isBound(port), BOUND_MS);
  return entryOf("bare hop", port, [hop]);
}

/** Two bare programs with a connection between them that carries datagrams in batches, without TLS. */
export async function startBareDatagramPair(bench: Bench, target: number): Promise<Entry> {
  const [port, link] = [freePort(), freePort()];
  const far = bench.processes.start("bare far end", bareCommand(bench, "bare_datagrams", "far", link, target));
  await listening(far, link);
  const near = bench.processes.start("bare near end", bareCommand(bench, "bare_datagrams", "near", port, link));
  await until("the bare near end to be bound", () => isBound(port), BOUND_MS);
  return entryOf("bare pair", port, [near, far]);
}

/** A certificate like that of a tunnel with tls=1: files of the authority, the chain and its key, and the name. */
async function writeIdentity(bench: Bench): Promise<string[]> {
  const root = await deriveRoot(bench.ends.key);
  const { caPem } = await deriveClientIdentity(root);
  const { chainPem, keyPem } = await createServerIdentity(root, { bytes: randomBytes, fraction: Math.random });
  const texts = { ca: caPem, chain: chainPem, key: keyPem };
  const paths: string[] = [];
  for (const [name, text] of Object.entries(texts)) {
    const path = `${bench.folder}/bare-${name}.pem`;
    await Deno.writeTextFile(path, text);
    paths.push(path);
  }
  return [...paths, INTERNAL_NAME];
}

function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** The program of this name for the runtime of the ends. */
function bareCommand(bench: Bench, name: string, ...args: readonly (string | number)[]): string[] {
  const file = new URL(`./loads/${name}_${bench.ends.kind}.ts`, import.meta.url).pathname;
  return [...bench.ends.program, file, ...args.map(String)];
}
