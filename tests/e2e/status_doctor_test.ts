import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiClient } from "../../src/command/api_client.ts";
import type { CommandContext } from "../../src/command/context.ts";
import { runCommand } from "../../src/command/run_command.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { type MasterHandle, startMaster } from "../../src/start/master.ts";
import { startTunnel } from "../../src/start/tunnel.ts";
import { equal, match, ok, test } from "../harness.ts";

const runtime = await detectRuntime();
const KEY = "npk1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command in this process. */
async function nodepass(...args: string[]): Promise<Outcome> {
  let stdout = "";
  let stderr = "";
  const process: CommandContext["runtime"]["process"] = {
    ...runtime.process,
    stdoutIsTerminal: false,
    stdout: (text) => void (stdout += text),
    stderr: (text) => void (stderr += text),
  };
  const code = await runCommand(args, { runtime: { ...runtime, process }, startTunnel });
  return { code, stdout, stderr };
}

/** Ports that are free now: instances of a master are asked for by number. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listening(createServer())));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function listening(server: Server): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

/** A master with a pair of ends in front of a web server. */
async function withMaster(
  query: string,
  run: (parts: { master: MasterHandle; api: ApiClient; flags: string[]; entry: number }) => Promise<void>,
): Promise<void> {
  const stateDir = await mkdtemp(join(tmpdir(), "nodepass-doctor-"));
  const service = await listening(createServer((_, response) => void response.end("hello")));
  const [tunnel, entry] = await freePorts(2) as [number, number];
  const env = (name: string): string | undefined => name === "NP_REPORT_INTERVAL" ? "1s" : runtime.process.env(name);
  const quick = { ...runtime, process: { ...runtime.process, env } };
  const master = await startMaster(`master://127.0.0.1:0/api${query}`, { stateDir, runtime: quick });
  try {
    const flags = ["--api", master.apiUrl, "--key", master.key.reveal(), ...(query === "" ? [] : ["-k"])];
    const target = { base: new URL(master.apiUrl), key: master.key, extraCa: null, verify: false };
    const api = new ApiClient(target, runtime);
    const { port } = service.address() as AddressInfo;
    const urls = [
      ["public", `server://${KEY}@127.0.0.1:${tunnel}/127.0.0.1:${entry}?mode=1&noudp=1`],
      ["beside", `client://${KEY}@127.0.0.1:${tunnel}/127.0.0.1:${port}?mode=2&noudp=1&min=2`],
    ];
    for (const [alias, url] of urls) {
      equal((await api.request("POST", "/instances", { alias, url })).status, 201);
    }
    await run({ master, api, flags, entry });
  } finally {
    await master.close({ graceMs: 0 });
    service.closeAllConnections();
    await new Promise((resolve) => service.close(resolve));
    await rm(stateDir, { recursive: true, force: true });
  }
}

test("doctor and status agree that a tunnel of a master works", () =>
  withMaster("", async ({ flags, entry }) => {
    const examined = await nodepass("doctor", ...flags);
    equal(examined.code, 0, examined.stdout + examined.stderr);
    match(examined.stdout, /ok +handshake +connected, round trip \d+ ms, \d+ links ready/);
    match(examined.stdout, /All is well\n$/);
    equal(await (await fetch(`http://127.0.0.1:${entry}/`, { headers: { connection: "close" } })).text(), "hello");
    const { code, stdout } = await nodepass("status", ...flags, "--json");
    equal(code, 0);
    ok(!stdout.includes(KEY), "a tunnel key shows");
    const { instances } = JSON.parse(stdout);
    equal(instances.length, 2);
    for (const { rate } of instances) ok(rate !== null, "no rate was measured");
  }));

test("doctor names a target that is down, and status shows a stopped instance", () =>
  withMaster("", async ({ api, flags }) => {
    const client = (await api.instances()).find(({ alias }) => alias === "beside")!;
    const dead = client.url.replace(/\/127\.0\.0\.1:\d+\?/, "/127.0.0.1:1?");
    equal((await api.request("PUT", `/instances/${client.id}`, { url: dead })).status, 200);
    const examined = await nodepass("doctor", ...flags);
    equal(examined.code, 1);
    match(examined.stdout, /error +target +127\.0\.0\.1:1 does not answer the client's machine/);
    equal((await api.request("PATCH", `/instances/${client.id}`, { action: "stop" })).status, 200);
    match((await nodepass("status", ...flags, "--now")).stdout, /beside +client +stopped/);
    match((await nodepass("doctor", ...flags)).stdout, /client is stopped/);
  }));

test("status and doctor reach a master with a certificate of its own when told to believe it", () =>
  withMaster("?tls=1", async ({ master, flags }) => {
    equal((await nodepass("status", ...flags, "--now")).code, 0);
    match((await nodepass("doctor", ...flags)).stdout, /warning +certificate +not checked, as -k asks/);
    const strict = await nodepass("doctor", ...flags.filter((flag) => flag !== "-k"));
    equal(strict.code, 1);
    match(strict.stdout, /error +api +Cannot reach https:.*\n.*-k for a master with "tls=1"/);
    ok(!strict.stdout.includes(master.key.reveal()));
  }));
