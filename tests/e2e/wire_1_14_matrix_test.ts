/** wire=1.14 as real processes: each role of ours against the stand-in for the Go program, and ours against ours. */
import { deepEqual, ok } from "../harness.ts";
import { type GoClient, goClient } from "../peer_1_14/client.ts";
import { type GoServer, goServer } from "../peer_1_14/server.ts";
import type { SocketAddress } from "../../src/runtime/types.ts";
import { certificateFolder, SERVER_NAME } from "./certificates.ts";
import { type Flow, startClient, startPair, startServer, TEST_KEY } from "./ends.ts";
import { echoTcpMany, until } from "./load.ts";
import { nodeMissing, type RuntimeName } from "./process.ts";
import { Target } from "./targets.ts";
import { exchangeTcpMany, exchangeUdp } from "./wire_1_14_load.ts";

const FULL = Deno.env.get("NODEPASS_PROFILE") === "full";
const VISITORS = 200;
const TOTAL_BYTES = FULL ? 60_000_000 : 6_000_000;
const MIN_LINKS = 24;

type Tls = 0 | 1 | 2;

/** A tunnel whose one end, or both, are ours. */
interface Running extends AsyncDisposable {
  readonly entry: SocketAddress;
  readonly peer: GoClient | GoServer | null;
}

interface Cell {
  readonly name: string;
  readonly runtimes: readonly RuntimeName[];
  readonly halfCloses: boolean;
  start(): Promise<Running>;
}

const target = await Target.listen();
const files = await certificateFolder();
const certificate = { chainPem: await Deno.readTextFile(files.chain), keyPem: await Deno.readTextFile(files.key) };
const ca = await Deno.readTextFile(files.ca);
const cells = allCells();
/** The tunnel of the next cell starts while this one works. */
let upcoming: Promise<Running> | null = null;

for (const [index, cell] of cells.entries()) {
  Deno.test({
    name: `wire=1.14 ${cell.name}`,
    ignore: !runsHere(cell),
    // Processes of the next cell live on into the next test.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      const starting = upcoming ?? cell.start();
      upcoming = null;
      await using running = await starting;
      upcoming = prepare(cells.slice(index + 1).find(runsHere));
      await exchangeTcpMany(running.entry, VISITORS, TOTAL_BYTES);
      if (cell.halfCloses) await echoTcpMany(running.entry, 20, 1_000_000);
      await exchangeUdp(running.entry, FULL ? 20 : 1);
      const { peer } = running;
      if (peer === null) return;
      const generation = await peer.generation(0);
      deepEqual([...generation.violations, ...generation.control.garbage], []);
      ok(generation.control.received.some(({ action }) => action === "pong"), "no ping was answered");
    },
  });
}

Deno.test({
  name: "wire=1.14 leaves nothing behind",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    await until("all targets are closed", () => target.open.size === 0);
    await upcoming?.then((running) => running[Symbol.asyncDispose]());
    await Promise.all([target, files].map((thing) => thing[Symbol.asyncDispose]()));
  },
});

function allCells(): Cell[] {
  const found: Cell[] = [];
  for (const flow of ["reverse", "forward"] as const) {
    for (const tls of [0, 1, 2] as const) {
      const halfCloses = tls === 0;
      for (const runtime of ["deno", "node"] as const) {
        const start = (role: "server" | "client") => () =>
          (role === "server" ? besideClient : besideServer)(flow, tls, runtime);
        for (const role of ["server", "client"] as const) {
          const name = `our ${role} on ${runtime}, ${flow}, tls=${tls}`;
          found.push({ name, runtimes: [runtime], halfCloses, start: start(role) });
        }
      }
      const pairs = FULL
        ? ["deno-deno", "deno-node", "node-deno", "node-node"]
        : [flow === "reverse" ? "deno-node" : "node-deno"];
      for (const pair of pairs) {
        const runtimes = pair.split("-") as [RuntimeName, RuntimeName];
        const name = `ours to ours ${pair}, ${flow}, tls=${tls}`;
        // Both ends of ours half-close inside TLS, too.
        found.push({ name, runtimes, halfCloses: true, start: () => bothOurs(flow, tls, runtimes) });
      }
    }
  }
  return found;
}

function serverQuery(tls: Tls): string {
  return `wire=1.14&tls=${tls}` + (tls === 2 ? `&crt=${files.chain}&key=${files.key}` : "");
}

function clientQuery(tls: Tls): string {
  return `wire=1.14&min=${MIN_LINKS}` + (tls === 2 ? `&crt=${files.ca}&sni=${SERVER_NAME}` : "");
}

async function besideClient(flow: Flow, tls: Tls, runtime: RuntimeName): Promise<Running> {
  const targets = [target.address];
  const server = await startServer({ flow, targets, server: runtime, serverQuery: serverQuery(tls) });
  try {
    const trust = { name: SERVER_NAME, ca };
    const common = { key: TEST_KEY, server: server.tunnel, target: target.address, min: MIN_LINKS, ...trust };
    const peer = await goClient(common);
    return {
      entry: server.entry ?? peer.entry,
      peer,
      async [Symbol.asyncDispose]() {
        await Promise.all([peer[Symbol.asyncDispose](), server.process[Symbol.asyncDispose]()]);
      },
    };
  } catch (error) {
    await server.process[Symbol.asyncDispose]();
    throw new Error(`${(error as Error).message}\n${server.process.output}`);
  }
}

async function besideServer(flow: Flow, tls: Tls, runtime: RuntimeName): Promise<Running> {
  const peer = await goServer({ key: TEST_KEY, flow, tls, certificate, target: target.address });
  try {
    const options = { flow, targets: [target.address], client: runtime, clientQuery: clientQuery(tls) };
    const client = await startClient(peer.address, options);
    return {
      entry: client.entry ?? peer.entry,
      peer,
      async [Symbol.asyncDispose]() {
        await Promise.all([peer[Symbol.asyncDispose](), client.process[Symbol.asyncDispose]()]);
      },
    };
  } catch (error) {
    await peer[Symbol.asyncDispose]();
    throw error;
  }
}

async function bothOurs(flow: Flow, tls: Tls, [server, client]: [RuntimeName, RuntimeName]): Promise<Running> {
  const queries = { serverQuery: serverQuery(tls), clientQuery: clientQuery(tls) };
  const pair = await startPair({ flow, targets: [target.address], server, client, ...queries });
  return { entry: pair.entry, peer: null, [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose]() };
}

function runsHere({ runtimes }: Cell): boolean {
  return nodeMissing === undefined || runtimes.every((runtime) => runtime === "deno");
}

/** A start whose failure is that of the test which takes it. */
function prepare(cell: Cell | undefined): Promise<Running> | null {
  if (cell === undefined) return null;
  const starting = cell.start();
  starting.catch(() => {});
  return starting;
}
