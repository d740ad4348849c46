import type { CommandContext } from "../../../src/command/context.ts";
import { doctorCommand } from "../../../src/command/doctor.ts";
import type { InstanceView } from "../../../src/master/instance.ts";
import { detectRuntime } from "../../../src/runtime/detect.ts";
import { equal, match, ok, rejects, test } from "../../harness.ts";
import { FakeWorld } from "./fake_context.ts";
import { FakeMaster, KEY, view } from "./fake_master.ts";

const runtime = await detectRuntime();

function contextOf(world: FakeWorld): CommandContext {
  const context = world.context();
  const { clock, toError, tls } = runtime;
  return { ...context, runtime: { ...context.runtime, clock, toError, tls } };
}

const SECRET = "s3cr3t-s3cr3t-s3cr3t";

interface Ends {
  readonly server?: string;
  readonly client?: string;
  readonly serverView?: Partial<InstanceView>;
  readonly clientView?: Partial<InstanceView>;
}

/** Two masters with one end each, connected unless a test says otherwise. */
class Scene {
  readonly servers: FakeMaster;
  readonly clients: FakeMaster;

  private constructor(servers: FakeMaster, clients: FakeMaster) {
    this.servers = servers;
    this.clients = clients;
  }

  static async start(ends: Ends = {}): Promise<Scene> {
    const scene = new Scene(await FakeMaster.start(), await FakeMaster.start());
    const server = ends.server ?? `server://${SECRET}@0.0.0.0:10101/0.0.0.0:8080`;
    const client = ends.client ?? `client://${SECRET}@192.0.2.1:10101/127.0.0.1:80`;
    const state = { status: "running", ping: 2, pool: 8 } as const;
    scene.servers.instances = [view({ id: "aaaaaaaa", url: server, mode: 1, ...state, ...ends.serverView })];
    scene.clients.instances = [view({ id: "bbbbbbbb", url: client, mode: 2, ...state, ...ends.clientView })];
    for (const address of ["127.0.0.1:10101", "127.0.0.1:8080"]) scene.servers.reachable.add(address);
    for (const address of ["192.0.2.1:10101", "127.0.0.1:80"]) scene.clients.reachable.add(address);
    return scene;
  }

  /** Runs the doctor over both masters. */
  async examine(...args: string[]): Promise<{ code: number; text: string }> {
    const world = new FakeWorld();
    const both = ["--api", this.servers.url, "--key", KEY, "--api2", this.clients.url, "--key2", KEY];
    const code = await doctorCommand([...args, ...both], contextOf(world));
    ok(!world.stdout.includes(SECRET), "a tunnel key shows");
    ok(!world.stdout.includes(KEY), "the API key shows");
    return { code, text: world.stdout };
  }

  async close(): Promise<void> {
    await this.servers.close();
    await this.clients.close();
  }
}

/** Runs with a scene that is cleared in any case. */
async function inScene(ends: Ends, run: (scene: Scene) => Promise<void>): Promise<void> {
  const scene = await Scene.start(ends);
  try {
    await run(scene);
  } finally {
    await scene.close();
  }
}

function sceneTest(name: string, run: (scene: Scene) => Promise<void>, ends: Ends = {}): void {
  test(name, () => inScene(ends, run));
}

sceneTest("doctor finds nothing wrong with a tunnel that works", async (scene) => {
  const { code, text } = await scene.examine();
  equal(code, 0, text);
  match(text, /^Master at http/);
  match(text, /Tunnel: client bbbbbbbb to server aaaaaaaa/);
  match(text, /ok +key +the same on both ends/);
  match(text, /ok +wire +secure on both ends/);
  match(text, /ok +handshake +connected, round trip 2 ms, 8 links ready/);
  match(text, /ok +target +127\.0\.0\.1:80 answers the client's machine/);
  match(text, /ok +entry +visitors are taken at 0\.0\.0\.0:8080/);
  match(text, /All is well\n$/);
});

test("doctor names each disagreement between the ends, and what to do", async () => {
  const cases: [Ends, RegExp][] = [
    [{ client: "client://another-key-another-key@192.0.2.1:10101/127.0.0.1:80" }, /error +key +differs.*\n.*same key/],
    [{ client: "client://192.0.2.1:10101/127.0.0.1:80" }, /the server has one and the client has none/],
    [{ client: `client://${SECRET}@192.0.2.1:10101/127.0.0.1:80?wire=1.14` }, /error +wire +the server speaks secure/],
    [{ client: `client://${SECRET}@192.0.2.1:10101/127.0.0.1:80?type=2` }, /links are type=0 at the server and type=2/],
    [{ client: `client://${SECRET}@192.0.2.1:10101/127.0.0.1:80?tls=2` }, /insists on tls=2, the server offers tls=1/],
    [{ server: `server://${SECRET}@0.0.0.0:10101/0.0.0.0:8080?tls=0` }, /warning +tls +tls=0: what goes through/],
    [{ server: `server://${SECRET}@127.0.0.1:10101/0.0.0.0:8080` }, /its own machine alone can reach/],
    [{ client: `client://${SECRET}@127.0.0.1:10101/127.0.0.1:80` }, /and the server is on another one/],
    [{ client: `client://${SECRET}@192.0.2.1:10102/127.0.0.1:80` }, /listens on port 10101, .* connects to port 10102/],
    [{ clientView: { mode: 1 } }, /forwards by itself, without the server\n.*set mode=2/],
    [{ server: `server://${SECRET}@0.0.0.0:10101/0.0.0.0:8080?noudp=1` }, /UDP is off at the server alone/],
    [{ serverView: { status: "stopped" } }, /server is stopped\n.*start it/],
    [{ clientView: { restart: false } }, /client does not come back with the master/],
  ];
  for (const [ends, expected] of cases) {
    await inScene(ends, async (scene) => match((await scene.examine()).text, expected));
  }
});

sceneTest("doctor tells a firewall from a server that does not listen", async (scene) => {
  scene.clients.reachable.delete("192.0.2.1:10101");
  match((await scene.examine()).text, /the server does listen\n.*open TCP port 10101 in the server's firewall/);
  scene.servers.reachable.delete("127.0.0.1:10101");
  match((await scene.examine()).text, /nothing answers at 192\.0\.2\.1:10101 .* nor at 127\.0\.0\.1:10101/);
});

sceneTest("doctor looks for the target where it is dialled", async (scene) => {
  scene.clients.reachable.delete("127.0.0.1:80");
  const { code, text } = await scene.examine();
  equal(code, 1);
  match(text, /error +target +127\.0\.0\.1:80 does not answer the client's machine: dial tcp .*connection refused/);
  const forward = {
    server: `server://${SECRET}@0.0.0.0:10101/10.0.0.5:5432?mode=2`,
    client: `client://${SECRET}@192.0.2.1:10101/127.0.0.1:80`,
    serverView: { mode: 2 },
  };
  await inScene(forward, async (scene) => {
    match((await scene.examine()).text, /10\.0\.0\.5:5432 does not answer the server's machine/);
  });
});

sceneTest("doctor repeats what the log says when the ends do not meet", async (scene) => {
  scene.clients.logs.set("bbbbbbbb", [
    "2026-01-01 10:00:00.000  INFO  Starting",
    "2026-01-01 10:00:01.000  ERROR  Client error: Server has another key: set the same key on both ends",
  ]);
  match((await scene.examine()).text, /the log says: Client error: Server has another key: set the same key/);
}, { clientView: { mode: 0, pool: 0, ping: 0 } });

sceneTest("doctor compares clocks", async (scene) => {
  scene.clients.aheadMs = 90_000;
  const { text } = await scene.examine();
  match(text, /warning +clock +1m\d*s? ?ahead of this machine's/);
  match(text, /(89|90|91) s between both machines/);
});

sceneTest("doctor goes on when a master cannot be asked", async (scene) => {
  const world = new FakeWorld();
  const args = ["--api", scene.servers.url, "--key", "wrong", "--api2", "http://127.0.0.1:1/api", "--key2", KEY];
  equal(await doctorCommand(args, contextOf(world)), 1);
  match(world.stdout, /error +api key +API key is not accepted .*\n.*--rotate/);
  match(world.stdout, /error +api +Cannot reach http:\/\/127\.0\.0\.1:1\/api: connection refused\n.*nothing listens/);
  match(world.stdout, /2 errors, 0 warnings\n$/);
});

sceneTest("doctor examines one instance, a forwarder too, and answers in JSON", async (scene) => {
  scene.clients.instances.push(
    view({ id: "cccccccc", alias: "db", url: "client://127.0.0.1:5432/127.0.0.1:5433?mode=1", mode: 1 }),
  );
  scene.clients.reachable.add("127.0.0.1:5432");
  const { code, text } = await scene.examine("db", "--json");
  equal(code, 1);
  const { ok: well, sections } = JSON.parse(text);
  equal(well, false);
  equal(sections.at(-1).subject, 'client cccccccc "db"');
  ok(
    sections.at(-1).findings.some(({ check, level }: { check: string; level: string }) =>
      check === "target" && level === "error"
    ),
  );
  ok(!text.includes("bbbbbbbb"));
  await rejects(scene.examine("nobody"), /Instance "nobody" does not exist/);
});

sceneTest("doctor says when the other end is not known", async (scene) => {
  const world = new FakeWorld();
  equal(await doctorCommand(["--api", scene.servers.url, "--key", KEY], contextOf(world)), 1);
  match(world.stdout, /error +handshake +no client is connected\n.*--api2/);
}, { serverView: { pool: 0 } });

sceneTest("doctor waits for the first report of what has just started", async (scene) => {
  const [server] = scene.servers.instances;
  scene.servers.instances = [{ ...server!, mode: 1, pool: 0 }];
  const examined = scene.examine();
  setTimeout(() => scene.servers.instances = [server!], 300);
  const { code, text } = await examined;
  equal(code, 0, text);
  match(text, /ok +mode +visitors arrive at the server/);
});
