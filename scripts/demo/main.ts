/**
 * The demonstration: a web server, a tunnel in front of it, a visitor. Stays until Ctrl-C; `--once` ends after the visit.
 *
 * @module
 */

import { formatGeneratedKey } from "../../src/generated_key.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { End, endCommand, shownCommand } from "./end.ts";
import { payload } from "./payload.ts";
import { megabytes, Screen } from "./screen.ts";
import { fetchPage, fetchPayload } from "./visitor.ts";

const SIZE = 50_000_000;
const NODEPASS = "npx -y deno run --allow-net --allow-env cli.ts";
const CHECKPOINT = /CHECK_POINT\|MODE=\d\|PING=(\d+)ms\|POOL=(\d+)\|TCPS=(\d+)\|UDPS=\d+\|TCPRX=(\d+)\|TCPTX=(\d+)/;

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
  screen.line("nodepass: a tunnel on this machine, real processes, loopback only\n");
  await using service = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    if (new URL(request.url).pathname === "/payload") return new Response(payload(SIZE));
    return new Response("Hello from the web server behind the tunnel\n");
  });
  const target = `127.0.0.1:${service.addr.port}`;
  screen.line(`1. A web server that the outside cannot reach: http://${target}/\n`);

  const key = formatGeneratedKey(systemRandom.bytes(32));
  const serverCommand = endCommand("server", `server://${key}@127.0.0.1:0/127.0.0.1:0?mode=1&noudp=1`);
  screen.line(`2. A tunnel server, allowed this and nothing else:\n   ${shownCommand(serverCommand)}`);
  await using server = new End(serverCommand);
  const [, entry = "", tunnel = ""] = await orStopped(server.line(/arrive at (\S+) tunnel=(\S+)/), stopped);
  screen.line(`   Clients connect to ${tunnel}, visitors to ${entry}\n`);

  const clientCommand = endCommand("client", `client://${key}@${tunnel}/${target}?mode=2&noudp=1&min=8`);
  screen.line(`3. A tunnel client beside the web server:\n   ${shownCommand(clientCommand)}`);
  await using client = new End(clientCommand);
  const [handshaked] = await orStopped(client.line(/Tunnel handshaked: .*/), stopped);
  screen.line(`   ${handshaked} (TLS 1.3, both proved the key)\n`);

  const watched = Promise.race([server, client].map((end) => failWhenGone(end, stopped)));
  await Promise.race([visit(`http://${entry}`, stopped), watched]);
  outcome.shown = true;
  screen.line(forReal(formatGeneratedKey(systemRandom.bytes(32))));
  if (once) return;
  screen.line(`The tunnel goes on: open http://${entry}/ or http://${entry}/payload; Ctrl-C ends it`);
  server.onLine = showTraffic();
  await orStopped(watched, stopped);
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
  return `For real, in this folder. On a machine that visitors can reach:
   ${NODEPASS} "server://${key}@0.0.0.0:10101/0.0.0.0:8080"
Beside the service, here one on port 80 (write the first machine's address for SERVER):
   ${NODEPASS} "client://${key}@SERVER:10101/127.0.0.1:80"
Then http://SERVER:8080/ is the service. The key was made just now; "${NODEPASS} keygen" makes others.
`;
}

/** Shows a checkpoint when it says something new. */
function showTraffic(): (line: string) => void {
  let last = "";
  return (line) => {
    const match = CHECKPOINT.exec(line);
    if (match === null) return;
    const [, ping, pool, sessions, received, sent] = match;
    const text = `   round trip ${ping} ms, ${pool} links ready, sessions: ${sessions}, ` +
      `${megabytes(Number(received))} from visitors, ${megabytes(Number(sent))} to them`;
    if (text !== last) screen.change(text);
    last = text;
  };
}

/** An end must not go before it is told to. */
async function failWhenGone(end: End, stopped: AbortSignal): Promise<never> {
  const code = await end.exited;
  // Ctrl-C reaches the ends too, perhaps a moment earlier than this process.
  await new Promise((resolve) => setTimeout(resolve, 200));
  stopped.throwIfAborted();
  throw new Error(`The ${end.name} ended by itself with exit code ${code}\n${end.output}`);
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
