import { deepEqual, equal, match, ok, test } from "../../harness.ts";
import { NodePassError } from "../../../src/errors.ts";
import { FakeWorld } from "./fake_context.ts";

const one = "client://127.0.0.1:1/a:2?mode=1";
const two = "client://127.0.0.1:2/a:2?mode=1";
const three = "client://127.0.0.1:3/a:2?mode=1";

function fileOf(...urls: string[]): Record<string, string> {
  return { "tunnels.json": JSON.stringify(urls) };
}

test("nodepass run starts every tunnel of a file and closes all on SIGTERM", async () => {
  const world = new FakeWorld();
  world.files = {
    "t.toml":
      `tunnels = ["${one}", { name = "second", url = "${two}" }]\n[environment]\nNP_SEMAPHORE_LIMIT = 5\nNP_WORKERS = 2\n`,
  };
  world.env = { NP_WORKERS: "3" };
  const exit = world.run("run", "-c", "t.toml", "--log-format", "json");
  await world.until(() => world.tunnels.length === 2);
  equal(world.tunnels[0]?.config.slots, 5);
  equal(world.tunnels[0]?.config.settings.workers, 3);
  world.signal("SIGTERM");
  equal(await exit, 0);
  ok(world.tunnels.every((tunnel) => tunnel.closed));
  ok(world.stdout.split("\n").some((line) => line.includes('"instance":"second"')));
});

test("SIGHUP reloads certificates and the file without touching unchanged tunnels", async () => {
  const world = new FakeWorld();
  world.files = fileOf(one, two);
  const exit = world.run("run", "-c", "tunnels.json");
  await world.until(() => world.tunnels.length === 2);
  world.files = fileOf(three, one);
  world.signal("SIGHUP");
  await world.until(() => world.stdout.includes("the run file are read again"));
  equal(world.tunnels.length, 3);
  equal(world.tunnels[0]?.closed, false);
  equal(world.tunnels[0]?.reloads, 1);
  equal(world.tunnels[1]?.closed, true);
  equal(world.tunnels[2]?.config.tunnel.port, 3);
  world.signal("SIGTERM");
  equal(await exit, 0);
});

test("SIGHUP with a broken file changes nothing and says why", async () => {
  const world = new FakeWorld();
  world.files = fileOf(one);
  const exit = world.run("run", "-c", "tunnels.json");
  await world.until(() => world.tunnels.length === 1);
  world.files = fileOf(one, "client://127.0.0.1:3/a:2?slot=x&rate=y");
  world.signal("SIGHUP");
  await world.until(() => world.stdout.includes('"slot" is "x"'));
  match(world.stdout, /Cannot reload, everything stays as it is: Tunnel 2: Parameter "slot" is "x"/);
  equal(world.tunnels.length, 1);
  equal(world.tunnels[0]?.closed, false);
  world.signal("SIGTERM");
  equal(await exit, 0);
});

test("nodepass run starts nothing when one tunnel is wrong, and closes the others when one does not start", async () => {
  const world = new FakeWorld();
  world.files = fileOf(one, "server://127.0.0.1:1/a:2?slot=x", "nope");
  equal(await world.run("run", "-c", "tunnels.json"), 2);
  match(world.stderr, /Tunnel 2: Parameter "slot".*\n.*Tunnel 3: Cannot read tunnel URL "nope"/);
  equal(world.tunnels.length, 0);

  const other = new FakeWorld();
  other.files = fileOf(one, two);
  other.startError = ({ tunnel }) =>
    tunnel.port === 2 ? new NodePassError("address_in_use", "Cannot listen on 2") : null;
  equal(await other.run("run", "-c", "tunnels.json"), 1);
  equal(other.tunnels[0]?.closed, true);
  equal(await other.run("run", "-c", "missing.json"), 2);
});

test("nodepass run goes on when tunnels fail, and starts them again at SIGHUP at the latest", async () => {
  const world = new FakeWorld();
  world.files = fileOf(one, two);
  const exit = world.run("run", "-c", "tunnels.json");
  await world.until(() => world.tunnels.length === 2);
  world.tunnels[0]?.end.reject(new NodePassError("io", "Cannot go on"));
  await world.until(() => world.stdout.includes("Cannot go on"));
  equal(world.tunnels[1]?.closed, false);
  world.signal("SIGHUP");
  await world.until(() => world.tunnels.length === 3);
  deepEqual(world.tunnels[2]?.config.tunnel, world.tunnels[0]?.config.tunnel);
  equal(world.tunnels[1]?.closed, false);
  world.signal("SIGTERM");
  equal(await exit, 0);
  equal(world.clock.pending, 0);
});
