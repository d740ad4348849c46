/** Every flow, TLS mode and pair of runtimes as real processes: what goes in comes out. */
import { deepEqual, equal } from "../harness.ts";
import { certificateFolder, SERVER_NAME } from "./certificates.ts";
import { type Flow, type Pair, type PairOptions, startForwarder, startPair } from "./ends.ts";
import { echoTcpMany, echoUdp } from "./load.ts";
import { nodeMissing, type RuntimeName } from "./process.ts";
import { Target } from "./targets.ts";

const FULL = Deno.env.get("NODEPASS_PROFILE") === "full";
const VISITORS = 200;
const TOTAL_BYTES = FULL ? 60_000_000 : 8_000_000;

interface Cell {
  readonly name: string;
  readonly server: RuntimeName;
  readonly client: RuntimeName;
  readonly flow: Flow;
  readonly serverQuery: string;
  readonly clientQuery: string;
  readonly host?: string;
}

const files = await certificateFolder();
const target = await Target.listen();
const target6 = await Target.listen(undefined, "::1");
const cells = allCells();
/** The pair of the next cell starts while this one works. */
let upcoming: Promise<Pair> | null = null;

for (const [index, cell] of cells.entries()) {
  Deno.test({
    name: `tunnel ${cell.name}`,
    ignore: !runsHere(cell),
    // Processes of the next cell live on into the next test.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      const starting: Promise<Pair> = upcoming ?? start(cell);
      upcoming = null;
      await using pair = await starting;
      upcoming = prepare(cells.slice(index + 1).find(runsHere));
      await echoTcpMany(pair.entry, VISITORS, TOTAL_BYTES);
      await echoUdp(pair.entry, FULL ? 20 : 1);
    },
  });
}

for (const runtime of ["deno", "node"] as const) {
  Deno.test({
    name: `single-end on ${runtime}`,
    ignore: runtime === "node" && nodeMissing !== undefined,
    fn: async () => {
      await using target = await Target.listen();
      const { process, entry } = await startForwarder({ targets: [target.address], client: runtime });
      await using _ = process;
      await echoTcpMany(entry, VISITORS, TOTAL_BYTES);
      await echoUdp(entry, FULL ? 20 : 1);
      equal(target.visitors.length, VISITORS);
    },
  });
}

Deno.test({
  name: "the matrix leaves nothing behind",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    deepEqual([target.open.size, target6.open.size], [0, 0]);
    await upcoming?.then((pair) => pair[Symbol.asyncDispose]());
    await Promise.all([target, target6, files].map((thing) => thing[Symbol.asyncDispose]()));
  },
});

function allCells(): Cell[] {
  const tls: readonly (readonly [string, string])[] = [
    ["tls=0", ""],
    ["tls=1", ""],
    [`tls=2&crt=${files.chain}&key=${files.key}`, `crt=${files.ca}&sni=${SERVER_NAME}`],
  ];
  const runtimes: readonly (readonly [RuntimeName, RuntimeName])[] = [
    ["deno", "deno"],
    ["deno", "node"],
    ["node", "deno"],
    ["node", "node"],
  ];
  const found: Cell[] = [];
  for (const [server, client] of runtimes) {
    for (const flow of ["reverse", "forward"] as const) {
      for (const [code, [serverQuery, clientQuery]] of tls.entries()) {
        found.push({ name: `${server}-${client} ${flow} tls=${code}`, server, client, flow, serverQuery, clientQuery });
      }
    }
    for (const code of [0, 1]) {
      const flow = code === 0 ? "reverse" : "forward";
      const serverQuery = `type=2&path=/links&tls=${code}`;
      const clientQuery = "type=2&path=/links";
      found.push({
        name: `${server}-${client} ${flow} type=2 tls=${code}`,
        server,
        client,
        flow,
        serverQuery,
        clientQuery,
      });
    }
  }
  const six = { host: "::1", serverQuery: "tls=1", clientQuery: "" };
  found.push({ name: "deno-node reverse IPv6", server: "deno", client: "node", flow: "reverse", ...six });
  found.push({ name: "node-deno forward IPv6", server: "node", client: "deno", flow: "forward", ...six });
  return found;
}

function runsHere({ server, client }: Cell): boolean {
  return nodeMissing === undefined || (server === "deno" && client === "deno");
}

function start({ host, ...cell }: Cell): Promise<Pair> {
  const where: Pick<PairOptions, "host" | "targets"> = host === undefined
    ? { targets: [target.address] }
    : { host, targets: [target6.address] };
  return startPair({ ...cell, ...where });
}

/** A start whose failure is that of the test which takes it. */
function prepare(cell: Cell | undefined): Promise<Pair> | null {
  if (cell === undefined) return null;
  const starting = start(cell);
  starting.catch(() => {});
  return starting;
}
