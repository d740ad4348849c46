/** `nodepass master` as people run it: processes, signals, kills, and a state that outlives them. */
import type { InstanceView } from "../../src/master/instance.ts";
import { TEST_KEY } from "./ends.ts";
import { equal, match, ok } from "../harness.ts";
import type { Conn, SocketAddress } from "../../src/runtime/types.ts";
import { freePort, readAll } from "../unit/tunnel/forward_fixture.ts";
import { echoTcp, echoUdp } from "./load.ts";
import { MasterProcess } from "./master_process.ts";
import { nodeMissing, startCommand } from "./process.ts";
import { echo, Target } from "./targets.ts";
import { bytesOf, firstWords, turnedAway, visit } from "./visitors.ts";

const runtimes = (["deno", "node"] as const).filter((runtime) => runtime === "deno" || nodeMissing === undefined);
const SETTLED_MS = 30_000;

interface Pair {
  readonly server: string;
  readonly client: string;
  readonly entry: SocketAddress;
}

/** Asks until the answer is right. */
async function eventually<T>(what: string, ask: () => Promise<T | null>): Promise<T> {
  const deadline = performance.now() + SETTLED_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() > deadline) throw new Error(`${what} within ${SETTLED_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function instance(master: MasterProcess, id: string): Promise<InstanceView> {
  return master.api.json<InstanceView>(`/instances/${id}`);
}

async function create(master: MasterProcess, alias: string, url: string): Promise<string> {
  const made = await master.api.json<InstanceView>("/instances", {
    method: "POST",
    body: { alias, url },
    status: 201,
  });
  return made.id;
}

/** A server and a client of one master, in front of a target. */
async function createPair(master: MasterProcess, target: SocketAddress): Promise<Pair> {
  const [tunnel, port] = [await freePort(), await freePort()];
  const server = await create(master, "srv", `server://${TEST_KEY}@127.0.0.1:${tunnel}/127.0.0.1:${port}?mode=1`);
  const client = await create(
    master,
    "cli",
    `client://${TEST_KEY}@127.0.0.1:${tunnel}/127.0.0.1:${target.port}?mode=2&min=2`,
  );
  await ready(master, server);
  return { server, client, entry: { host: "127.0.0.1", port } };
}

function ready(master: MasterProcess, server: string): Promise<InstanceView> {
  return eventually("links are ready", async () => {
    const view = await instance(master, server);
    return view.status === "running" && view.pool > 0 ? view : null;
  });
}

/** Processes that `pid` started. */
function children(pid: number): number[] {
  const text = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
  return text.trim().split(" ").filter((part) => part !== "").map(Number);
}

function lives(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

const FAST = { NP_REPORT_INTERVAL: "1s" };

for (const runtime of runtimes) {
  Deno.test(`A pair made through the API serves, and comes back as it was after SIGTERM and kill -9 (${runtime})`, async () => {
    await using target = await Target.listen();
    await using master = await MasterProcess.start({ runtime, env: FAST });
    const { server, client, entry } = await createPair(master, target.address);
    ok(children(master.process.pid).length >= 1, "instances run in processes of their own");
    await echoTcp(entry, 100_000, 1);
    await echoUdp(entry);
    const counted = await eventually("counters show the bytes", async () => {
      const view = await instance(master, server);
      return view.tcprx >= 100_000 && view.tcptx >= 100_000 && view.udprx > 65_507 ? view : null;
    });
    await master.api.json(`/instances/${client}`, {
      method: "PATCH",
      body: { alias: "home", meta: { tags: { region: "eu" } } },
    });
    const key = master.key;

    equal(await master.process.stop(), 0);
    await master.again();
    equal(master.key, key);
    await ready(master, server);
    await echoTcp(entry, 1_000, 2);
    const after = await instance(master, server);
    ok(after.tcprx >= counted.tcprx && after.udprx >= counted.udprx, "counters go on");

    const engines = children(master.process.pid);
    master.process.signal("SIGKILL");
    await master.process.exited;
    await eventually("engines are gone", () => Promise.resolve(engines.some(lives) ? null : true));
    await master.again();
    equal(master.key, key);
    await ready(master, server);
    await echoTcp(entry, 1_000, 3);
    const home = await instance(master, client);
    equal(home.alias, "home");
    equal(home.meta.tags.region, "eu");
    const listed = await master.api.json<InstanceView[]>("/instances");
    equal(listed.length, 3);
  });

  Deno.test(`SIGTERM lets transfers finish, takes no new ones, and ends with 0 (${runtime})`, async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => release = resolve);
    await using target = await Target.listen(async (conn) => {
      const first = new Uint8Array(5);
      await conn.read(first);
      await conn.write(first);
      await gate;
      await echo(conn);
    });
    await using master = await MasterProcess.start({ runtime, env: { ...FAST, NP_SHUTDOWN_TIMEOUT: "8s" } });
    const { entry } = await createPair(master, target.address);
    const visitors: Conn[] = [];
    for (let index = 0; index < 10; index++) {
      const conn = await visit(entry);
      await conn.write(bytesOf("hello"));
      equal(await firstWords(conn), "hello");
      visitors.push(conn);
    }
    const started = performance.now();
    master.process.signal("SIGTERM");
    await new Promise((resolve) => setTimeout(resolve, 100));
    ok(await turnedAway(entry, bytesOf("hello")), "a new visitor was taken");
    release();
    for (const conn of visitors) {
      await conn.write(bytesOf("world"));
      await conn.closeWrite();
      equal(new TextDecoder().decode(await readAll(conn)), "world");
      conn.close();
    }
    equal(await master.process.exited, 0);
    ok(performance.now() - started < 9_000, "it took longer than the grace and a second");
  });

  Deno.test(`Instances that cannot listen are in error until they can (${runtime})`, async () => {
    await using target = await Target.listen();
    await using master = await MasterProcess.start({
      runtime,
      env: { ...FAST, NP_RELOAD_INTERVAL: "1s", NP_SERVICE_COOLDOWN: "300ms" },
    });
    const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = taken.addr;
    const id = await create(master, "busy", `client://127.0.0.1:${port}/127.0.0.1:${target.address.port}?mode=1`);
    try {
      await eventually("it is in error", async () => (await instance(master, id)).status === "error" ? true : null);
      const logs = await master.api(`/instances/${id}/logs`);
      match(await logs.text(), /in use/);
    } finally {
      taken.close();
    }
    await eventually("it runs", async () => (await instance(master, id)).status === "running" ? true : null);
    await echoTcp({ host: "127.0.0.1", port }, 1_000, 4);
  });
}

Deno.test("A new master does not print its key where nobody reads along, and nodepass state key shows it", async () => {
  await using master = await MasterProcess.start();
  await master.process.line("nodepass state key");
  ok(!master.process.output.includes(master.key));
  await using shown = startCommand(["state", "key"], { env: { NP_STATE_DIR: master.directory } });
  equal(await shown.exited, 0);
  equal(shown.output.trim(), master.key);
});

Deno.test("A second master on the same state is refused and names the process of the first", async () => {
  await using master = await MasterProcess.start();
  await using second = startCommand(["master://127.0.0.1:0"], { env: { NP_STATE_DIR: master.directory } });
  equal(await second.exited, 1);
  match(second.output, new RegExp(`\\b${master.process.pid}\\b`));
});

Deno.test("SIGHUP reads certificates again and leaves the master running", async () => {
  await using master = await MasterProcess.start();
  master.process.signal("SIGHUP");
  await master.process.line("Certificates are read again");
  await master.api.json("/instances");
  equal(await master.process.stop(), 0);
});

Deno.test("A master needs no more than the permissions that nodepass permissions prints", async () => {
  await using target = await Target.listen();
  for (const engines of ["2", "0"]) {
    const directory = await Deno.makeTempDir();
    const env = { NP_ENGINES: engines, NP_STATE_DIR: directory };
    await using printed = startCommand(["permissions", "master://127.0.0.1:0", "--json"], { env });
    equal(await printed.exited, 0);
    const { flags } = JSON.parse(printed.output.slice(printed.output.indexOf("{"))) as { flags: string[] };
    ok(!flags.includes("-A") && !flags.includes("--allow-all") && !flags.includes("--allow-ffi"));
    await using master = await MasterProcess.start({
      env: { ...FAST, ...env },
      permissions: (own) => ["--no-prompt", ...flags.map((flag) => flag.replaceAll(directory, own))],
    });
    const { entry } = await createPair(master, target.address);
    await echoTcp(entry, 10_000, 5);
    equal((await master.api("/info")).status, 200);
    equal(await master.process.stop(), 0);
    ok(
      !/NotCapable|permission denied|was not given the permission/i.test(master.process.output),
      master.process.output,
    );
    await Deno.remove(directory, { recursive: true });
  }
});
