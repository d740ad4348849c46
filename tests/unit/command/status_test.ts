import { statusCommand } from "../../../src/command/status.ts";
import type { CommandContext } from "../../../src/command/context.ts";
import { API_KEY_ID } from "../../../src/master/instance.ts";
import { detectRuntime } from "../../../src/runtime/detect.ts";
import { deepEqual, equal, match, ok, rejects, test } from "../../harness.ts";
import { FakeWorld } from "./fake_context.ts";
import { FakeMaster, KEY, view } from "./fake_master.ts";

const runtime = await detectRuntime();

/** The fake world with real sockets and a real clock. */
function contextOf(world: FakeWorld): CommandContext {
  const context = world.context();
  const { clock, toError, tls } = runtime;
  return { ...context, runtime: { ...context.runtime, clock, toError, tls } };
}

const server = view({
  id: "ac881219",
  url: "server://s3cr3t-s3cr3t-s3cr3t@127.0.0.1:10101/127.0.0.1:8080?tls=0",
  alias: "web",
  mode: 1,
  ping: 2,
  pool: 64,
  tcps: 3,
  tcprx: 1_500,
  tcptx: 2_000_000,
});

function masterTest(name: string, run: (master: FakeMaster) => Promise<void>): void {
  test(name, async () => {
    const master = await FakeMaster.start();
    try {
      await run(master);
    } finally {
      await master.close();
    }
  });
}

async function run(world: FakeWorld, ...args: string[]): Promise<string> {
  equal(await statusCommand(args, contextOf(world)), 0);
  ok(!world.stdout.includes("s3cr3t"), "a tunnel key shows");
  ok(!world.stdout.includes(KEY), "the API key shows");
  return world.stdout;
}

masterTest("status shows the master and its instances, without keys", async (master) => {
  master.instances = [server];
  const text = await run(new FakeWorld(), "--api", master.url, "--key", KEY, "--now");
  match(text, /^Master "lab" \(f378ec6f25ae10fa\) at http:\/\/127\.0\.0\.1:\d+\/api: nodepass-ts 1\.0\.0, up 1h2m5s, /);
  match(text, /ID +NAME +TYPE +STATUS +PING +LINKS +TCP +UDP +IN +OUT +URL/);
  match(text, /ac881219 +web +server +running +2 ms +64 +3 +0 +1\.5 kB +2\.0 MB +server:\/\/\*\*\*@127\.0\.0\.1:10101/);
  ok(!text.includes(API_KEY_ID));
});

masterTest("status measures rates between two updates, not from the initial one", async (master) => {
  master.instances = [server];
  const begin = Date.now();
  master.frames = [
    FakeMaster.frame("initial", { ...server, tcprx: 0, tcptx: 0 }, begin),
    FakeMaster.frame("update", server, begin + 1_000),
    FakeMaster.frame("update", server, begin + 1_010),
    FakeMaster.frame("update", { ...server, tcprx: 5_001_500, tcptx: 2_010_000, udptx: 2 }, begin + 6_000),
  ];
  const text = await run(new FakeWorld(), "--api", master.url, "--key", KEY, "--json");
  const { instances: [instance] } = JSON.parse(text);
  deepEqual(instance.rate, { rx: 1_000_000, tx: 2_000 });
  equal(instance.url, "server://***@127.0.0.1:10101/127.0.0.1:8080?tls=0");
  match(await run(new FakeWorld(), "--api", master.url, "--key", KEY), /1\.0 MB\/s +2\.0 kB\/s +5\.0 MB +2\.0 MB/);
});

masterTest("status --watch follows creates, updates and deletes until a signal", async (master) => {
  const world = new FakeWorld();
  master.frames = [FakeMaster.frame("initial", server, Date.now())];
  const connected = new Promise<void>((resolve) => master.onReader = resolve);
  const watching = statusCommand(["--api", master.url, "--key", KEY, "--watch"], contextOf(world));
  await connected;
  const all = (frame: string): void => master.readers.forEach((reader) => void reader.write(frame));
  await world.until(() => /ac881219/.test(world.stdout));
  all(FakeMaster.frame("create", { ...server, id: "4330cbd7", alias: "second", status: "error" }, Date.now(), 2));
  await world.until(() => /4330cbd7 +second +server +error/.test(world.stdout));
  all(FakeMaster.frame("delete", server, Date.now(), 3));
  world.stdout = "";
  await world.until(() => world.stdout.includes("4330cbd7") && !world.stdout.includes("ac881219"));
  equal(world.handlers, 2);
  world.signal("SIGINT");
  equal(await watching, 0);
  equal(world.handlers, 0);
});

masterTest("status says what is wrong with the address, the prefix and the key", async (master) => {
  const cases: [string[], RegExp][] = [
    [[], /Flag --api is missing/],
    [["--api", "ftp://x", "--key", KEY], /Flag --api is not an address: expected http:/],
    [["--api", master.url], /Flag --key is missing: .*nodepass state key/],
    [["--api", "np://master?url=x", "--key", KEY], /Flag --api cannot be read: expected np:/],
    [["--api", master.url, "--key", "wrong"], /API key is not accepted by http.*nodepass state key/],
    [["--api", `${master.url}/other`, "--key", KEY], /Cannot find the API at http.*check host, port and prefix/],
    [["--api", "http://127.0.0.1:1", "--key", KEY], /Cannot reach http:\/\/127\.0\.0\.1:1\/api: connection refused/],
  ];
  for (const [args, expected] of cases) {
    await rejects(statusCommand(args, contextOf(new FakeWorld())), expected, args.join(" "));
  }
});

masterTest("status reads the key from a file, and both from an np:// line", async (master) => {
  const world = new FakeWorld();
  world.files["/key"] = `${KEY}\n`;
  match(await run(world, "--api", `127.0.0.1:${master.port}`, "--key-file", "/key", "--now"), /No instances/);
  const line = `np://master?url=${btoa(master.url)}&key=${btoa(KEY)}`;
  match(await run(new FakeWorld(), "--api", line, "--now"), /No instances/);
});

masterTest("status keeps control characters and long names off the terminal", async (master) => {
  master.instances = [{ ...server, alias: `a\x1b[2Jb${"x".repeat(200)}` }];
  const world = new FakeWorld();
  world.terminal = true;
  world.env = { NO_COLOR: "1" };
  world.columns = 120;
  const text = await run(world, "--api", master.url, "--key", KEY, "--now");
  ok(!text.includes("\x1b"));
  const rows = text.split("\n").slice(2);
  for (const row of rows) ok(row.length <= 120, `${row.length}: ${row}`);
});
