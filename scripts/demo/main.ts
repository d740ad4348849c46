/**
 * The demonstration: a web server, a master, a tunnel that is made through its API, a visitor. Stays until Ctrl-C;
 * `--once` ends after the visit.
 *
 * @module
 */

import { redactUrl } from "../../src/config/tunnel_url.ts";
import { formatGeneratedKey } from "../../src/generated_key.ts";
import type { InstanceView } from "../../src/master/instance.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { Master, masterUrl } from "./master.ts";
import { payload } from "./payload.ts";
import { megabytes, Screen } from "./screen.ts";
import { fetchPage, fetchPayload } from "./visitor.ts";

const SIZE = 50_000_000;
const CONNECT_MS = 20_000;
const NODEPASS = "npx -y deno run --allow-net --allow-env cli.ts";
/** With the permissions that it needs and no more; engines are the runtime started again. */
const MASTER = `npx -y deno run $(${NODEPASS} permissions master://127.0.0.1:9090) cli.ts`;

const screen = new Screen();
const unknown = Deno.args.filter((arg) => arg !== "--once");
if (unknown.length > 0) {
  console.error(`demo: Cannot read ${unknown.join(" ")}: expected --once or nothing`);
  Deno.exit(2);
}
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) Deno.addSignalListener(signal, () => stop.abort());
const outcome = { shown: false };
try {
  await demonstrate(Deno.args.includes("--once"), stop.signal);
} catch (error) {
  if (!stop.signal.aborted) {
    screen.line();
    console.error(`demo: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
screen.line(stop.signal.aborted ? "Stopped" : "Done");
Deno.exit(outcome.shown ? 0 : 130);

/** Shows everything; what it started is gone when it settles. */
async function demonstrate(once: boolean, stopped: AbortSignal): Promise<void> {
  screen.line("nodepass: a master and a tunnel on this machine, real processes, loopback only\n");
  await using service = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    if (new URL(request.url).pathname === "/payload") return new Response(payload(SIZE));
    return new Response("Hello from the web server behind the tunnel\n");
  });
  const target = `127.0.0.1:${service.addr.port}`;
  screen.line(`1. A web server that the outside cannot reach: http://${target}/\n`);

  await using folder = await stateFolder();
  const [port, tunnel, entry] = freePorts(3) as [number, number, number];
  screen.line(`2. A master:\n   nodepass "${masterUrl(port)}"`);
  await using master = await orStopped(Master.start(port, folder.path), stopped);
  screen.line(`   Dashboard: http://127.0.0.1:${port}/api/\n   API key:   ${master.key}\n`);
  const gone = failWhenGone(master, stopped);
  gone.catch(() => {});

  const server = await Promise.race([gone, createPair(master, { tunnel, entry, target }, stopped)]);
  await Promise.race([gone, visit(`http://127.0.0.1:${entry}`, stopped)]);
  outcome.shown = true;
  screen.line(forReal(formatGeneratedKey(systemRandom.bytes(32))));
  if (once) return;
  screen.line(
    `The tunnel goes on: open http://127.0.0.1:${entry}/ or http://127.0.0.1:${entry}/payload, and watch it in the\n` +
      `dashboard at http://127.0.0.1:${port}/api/ (key ${master.key}); Ctrl-C ends it`,
  );
  const events = new AbortController();
  const ending = AbortSignal.any([stopped, events.signal]);
  try {
    // Whether the master is gone is for `gone` to say, whatever becomes of the events.
    const watching = master.watch(server.id, ending, showTraffic()).catch(() => {}).then(() => gone);
    await orStopped(watching, stopped);
  } finally {
    events.abort();
  }
}

/** Both ends of a tunnel, made with two requests, and connected when this resolves. */
async function createPair(
  master: Master,
  { tunnel, entry, target }: { readonly tunnel: number; readonly entry: number; readonly target: string },
  stopped: AbortSignal,
): Promise<InstanceView> {
  const key = formatGeneratedKey(systemRandom.bytes(32));
  const serverUrl = `server://${key}@127.0.0.1:${tunnel}/127.0.0.1:${entry}?mode=1&noudp=1`;
  const clientUrl = `client://${key}@127.0.0.1:${tunnel}/${target}?mode=2&noudp=1&min=8`;
  screen.line("3. Both ends of a tunnel, made through the API:");
  for (const [alias, url] of [["public end", serverUrl], ["beside the service", clientUrl]]) {
    screen.line(`   POST /api/v1/instances {"alias": "${alias}", "url": "${redactUrl(url!)}"}`);
  }
  const server = await master.create("public end", serverUrl);
  const client = await master.create("beside the service", clientUrl);
  const connected = new AbortController();
  const limit = AbortSignal.any([stopped, connected.signal, AbortSignal.timeout(CONNECT_MS)]);
  await master.watch(client.id, limit, ({ pool }) => pool > 0 && connected.abort());
  stopped.throwIfAborted();
  if (!connected.signal.aborted) throw new Error(`The ends did not meet within 20 s\n${master.output}`);
  screen.line(`   ${client.id} is connected to ${server.id} (TLS 1.3, both proved the key)\n`);
  return server;
}

async function visit(url: string, stopped: AbortSignal): Promise<void> {
  screen.line(`4. A visitor: GET ${url}/`);
  const page = await fetchPage(`${url}/`, stopped);
  screen.line(`   ${JSON.stringify(page.text.trim())} in ${page.ms.toFixed(0)} ms\n`);
  screen.line(`5. ${megabytes(SIZE)} through the tunnel: GET ${url}/payload`);
  const ms = await fetchPayload(`${url}/payload`, SIZE, screen.progress(), stopped);
  screen.line(`   Every byte arrived as it was sent, in ${(ms / 1000).toFixed(2)} s\n`);
}

/** The same for real, with a key that nobody has. */
function forReal(key: string): string {
  return `For real, in this folder: a master with its dashboard on http://127.0.0.1:9090/api/ (it prints its key once):
   ${MASTER} "master://127.0.0.1:9090"
Or without a master. On a machine that visitors can reach:
   ${NODEPASS} "server://${key}@0.0.0.0:10101/0.0.0.0:8080"
Beside the service, here one on port 80 (write the first machine's address for SERVER):
   ${NODEPASS} "client://${key}@SERVER:10101/127.0.0.1:80"
Then http://SERVER:8080/ is the service. The key was made just now; "${NODEPASS} keygen" makes others.
`;
}

/** Shows an update when it says something new. */
function showTraffic(): (instance: InstanceView, line: string) => void {
  let last = "";
  return (_, line) => {
    if (line !== last) screen.change(line);
    last = line;
  };
}

/** A folder that goes with the demonstration. */
async function stateFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "nodepass-demo-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }).catch(() => {}) };
}

/** Ports that are free now: instances of a master are asked for by number. */
function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = listeners.map(({ addr }) => addr.port);
  for (const listener of listeners) listener.close();
  return ports;
}

/** The master must not go before it is told to. */
async function failWhenGone(master: Master, stopped: AbortSignal): Promise<never> {
  const code = await master.exited;
  // Ctrl-C reaches the master too, perhaps a moment earlier than this process.
  await new Promise((resolve) => setTimeout(resolve, 200));
  stopped.throwIfAborted();
  throw new Error(`The master ended by itself with exit code ${code}\n${master.output}`);
}

async function orStopped<T>(work: Promise<T>, stopped: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const give = (): void => reject(stopped.reason);
  stopped.addEventListener("abort", give, { once: true });
  if (stopped.aborted) give();
  try {
    return await Promise.race([work, promise]);
  } finally {
    stopped.removeEventListener("abort", give);
  }
}
