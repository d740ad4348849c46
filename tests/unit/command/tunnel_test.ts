import { formatTunnelUrl } from "../../../src/config/tunnel_url.ts";
import { NodePassError } from "../../../src/errors.ts";
import { equal, match, ok, test } from "../../harness.ts";
import { FakeWorld } from "./fake_context.ts";

const key = "npk1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/** Starts a command, lets it stop at once, gives the URL that it ran. */
async function started(world: FakeWorld, ...args: string[]): Promise<string> {
  const exit = world.run(...args);
  await Promise.race([world.until(() => world.tunnels.length > 0), exit]);
  const [tunnel] = world.tunnels;
  ok(tunnel !== undefined, world.stderr);
  world.signal("SIGTERM");
  equal(await exit, 0);
  return formatTunnelUrl(tunnel.config, { redact: false });
}

test("nodepass <url> runs the tunnel, drains it on SIGTERM and exits 0", async () => {
  const world = new FakeWorld();
  world.env = { NP_SHUTDOWN_TIMEOUT: "7s" };
  const url = `server://${key}@0.0.0.0:10101/127.0.0.1:8080?slot=5`;
  equal(await started(world, url), url);
  equal(world.tunnels[0]?.graceMs, 7000);
  equal(world.handlers, 0);
  equal(world.title, "nodepass server://***@0.0.0.0:10101/127.0.0.1:8080?slot=5");
  ok(!world.stdout.includes(key));
});

test("flags count more than the URL, the URL more than the environment", async () => {
  const run = (...args: string[]): Promise<string> => {
    const world = new FakeWorld();
    world.env = { NP_SEMAPHORE_LIMIT: "9" };
    return started(world, ...args);
  };
  const url = "client://127.0.0.1:1/a:2?slot=5&mode=1";
  match(await run(url), /slot=5/);
  match(await run(url, "--slot", "7"), /slot=7/);
  match(
    await run("client", url, "--slot=7", "--target", "c:3", "--target", "d:4"),
    /^client:\/\/127\.0\.0\.1:1\/c:3,d:4\?mode=1&slot=7$/,
  );
  match(await run(url, "--tunnel-port", "8", "--tunnel-host", "::1"), /^client:\/\/\[::1\]:8\/a:2/);
  match(
    await run("server", "--tunnel-port", "1", "--tunnel-key", "a/b?c@d%e", "--target", "b:2"),
    /^server:\/\/a%2Fb%3Fc%40d%25e@:1\/b:2$/,
  );
  match(
    await run("server", "--tunnel-host", "127.0.0.1", "--tunnel-port", "1", "--target", "b:2", "--path", "/a+b"),
    /path=\/a%2Bb/,
  );
});

test("a key comes from the file that NP_KEY_FILE names, unless the URL has one", async () => {
  const world = new FakeWorld();
  world.env = { NP_KEY_FILE: "/key" };
  world.files = { "/key": `${key}\n` };
  await started(world, "server://:1/a:2");
  equal(world.tunnels[0]?.config.key.secret.reveal(), key);
  equal(world.tunnels[0]?.config.key.origin, "file");
  const other = new FakeWorld();
  other.env = { NP_KEY_FILE: "/missing" };
  await started(other, "server://0123456789abcdef@:1/a:2");
  equal(other.tunnels[0]?.config.key.origin, "url");
  equal(await other.run("server://:1/a:2"), 2);
  match(other.stderr, /NP_KEY_FILE is "\/missing": cannot read this file, it does not exist/);
  other.env = { NP_KEY_FILE: "/key" };
  other.files = { "/key": "a\nb\n" };
  equal(await other.run("server://:1/a:2"), 2);
  match(other.stderr, /holds no key: expected one line/);
});

test("a second signal does not wait for sessions", async () => {
  const world = new FakeWorld();
  const exit = world.run("server://127.0.0.1:1/a:2");
  await world.until(() => world.tunnels.length > 0);
  const tunnel = world.tunnels[0];
  ok(tunnel !== undefined);
  tunnel.drained = new Promise(() => {});
  world.signal("SIGINT");
  world.signal("SIGINT");
  equal(await exit, 1);
});

test("a tunnel that cannot start ends the command with 1", async () => {
  const world = new FakeWorld();
  world.startError = () => new NodePassError("address_in_use", "Cannot listen on 127.0.0.1:1: address already in use");
  equal(await world.run("server://127.0.0.1:1/a:2"), 1);
  equal(world.stderr, "nodepass: Cannot listen on 127.0.0.1:1: address already in use\n");
  equal(world.clock.pending, 0);
});

test("a tunnel that fails while running starts again after NP_SERVICE_COOLDOWN, as often as it takes", async () => {
  const world = new FakeWorld();
  world.env["NP_SERVICE_COOLDOWN"] = "2s";
  const exit = world.run("server://127.0.0.1:1/a:2");
  await world.until(() => world.tunnels.length === 1);
  world.tunnels[0]?.end.reject(new NodePassError("io", "Cannot go on"));
  await world.until(() => world.stdout.includes("Cannot go on"));
  match(world.stdout, /ERROR {2}Server error: Cannot go on restart=2s/);
  equal(world.tunnels[0]?.closed, true);
  world.startError = () => new NodePassError("address_in_use", "Cannot listen");
  await world.clock.advanceSteps(1_999, 1_999);
  equal(world.tunnels.length, 1);
  await world.clock.advanceSteps(2_000, 500);
  equal(world.tunnels.length, 1);
  world.startError = null;
  await world.clock.advanceSteps(2_000, 500);
  equal(world.tunnels.length, 2);
  world.tunnels[1]?.end.reject(new NodePassError("io", "Cannot go on either"));
  await world.until(() => world.stdout.includes("either"));
  world.signal("SIGTERM");
  equal(await exit, 0);
  equal(world.clock.pending, 0);
});

test("warnings and the start are logged, in JSON when asked for", async () => {
  const world = new FakeWorld();
  await started(world, "client://127.0.0.1:1/a:2?max=1", "--log-format", "json");
  const lines = world.stdout.trim().split("\n").map((line) => JSON.parse(line));
  ok(lines.some((line) => line.message.includes('Parameter "max" belongs to the server')));
});

test("colour needs a terminal and no NO_COLOR", async () => {
  const shown = async (terminal: boolean, env: Record<string, string>): Promise<boolean> => {
    const world = new FakeWorld();
    world.terminal = terminal;
    world.env = env;
    await started(world, "client://127.0.0.1:1/a:2");
    return world.stdout.includes("\x1b[");
  };
  equal(await shown(true, {}), true);
  equal(await shown(false, {}), false);
  equal(await shown(true, { NO_COLOR: "1" }), false);
});
