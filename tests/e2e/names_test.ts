/** Names whose address changes while processes run: each sees a hosts file of the test. */
import type { Conn } from "../../src/runtime/types.ts";
import { writeAll } from "../../src/relay/write_all.ts";
import { equal, match } from "../harness.ts";
import { addressAfter, TEST_KEY } from "./ends.ts";
import { echoTcp } from "./load.ts";
import { nodeMissing, ownHostsMissing, startUrl } from "./process.ts";
import { type Serve, Target } from "./targets.ts";
import { ask, bytesOf } from "./visitors.ts";

const runtimes = (["deno", "node"] as const).filter((runtime) => runtime === "deno" || nodeMissing === undefined);
const ignore = await ownHostsMissing() !== undefined;
const NAME = "moving.test";
const [OLD, NEW] = ["127.0.0.2", "127.0.0.3"];
const TTL_MS = 1_000;
const SLACK_MS = 1_500;

/** A hosts file that knows one name. */
async function hostsFile(
  address: string,
): Promise<AsyncDisposable & { path: string; move(to: string): Promise<void> }> {
  const path = await Deno.makeTempFile({ prefix: "nodepass-hosts-" });
  const move = (to: string): Promise<void> => Deno.writeTextFile(path, `127.0.0.1 localhost\n${to} ${NAME}\n`);
  await move(address);
  return { path, move, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

/** Answers each question with a word. */
function saying(word: string): Serve {
  return async (conn: Conn) => {
    await conn.read(new Uint8Array(64));
    await writeAll(conn, bytesOf(word));
    await conn.closeWrite();
  };
}

for (const runtime of runtimes) {
  Deno.test({
    name: `a target's new address is used when dns= is over (${runtime})`,
    ignore,
    async fn() {
      await using hosts = await hostsFile(OLD);
      await using before = await Target.listen(saying("old"), OLD);
      await using _after = await Target.listen(saying("new"), NEW, before.address.port);
      const url = `client://127.0.0.1:0/${NAME}:${before.address.port}?mode=1&noudp=1&dns=${TTL_MS}ms`;
      await using forwarder = startUrl(url, { runtime, hosts: hosts.path });
      const entry = addressAfter(await forwarder.line("Forwarding visitors"), "listening=");
      equal(await ask(entry, "?"), "old");
      await hosts.move(NEW);
      const moved = performance.now();
      let answer = "old";
      while (answer === "old" && performance.now() - moved < TTL_MS + SLACK_MS) answer = await ask(entry, "?");
      equal(answer, "new");
    },
  });

  Deno.test({
    name: `a target that moved away costs one visitor, however long dns= is (${runtime})`,
    ignore,
    async fn() {
      await using hosts = await hostsFile(OLD);
      const before = await Target.listen(saying("old"), OLD);
      await using _after = await Target.listen(saying("new"), NEW, before.address.port);
      const url = `client://127.0.0.1:0/${NAME}:${before.address.port}?mode=1&noudp=1&dns=1h`;
      await using forwarder = startUrl(url, { runtime, hosts: hosts.path });
      const entry = addressAfter(await forwarder.line("Forwarding visitors"), "listening=");
      equal(await ask(entry, "?"), "old");
      await before[Symbol.asyncDispose]();
      await hosts.move(NEW);
      equal(await ask(entry, "?"), "");
      equal(await ask(entry, "?"), "new");
    },
  });

  Deno.test({
    name: `a client follows its server's name (${runtime})`,
    ignore,
    async fn() {
      await using hosts = await hostsFile(OLD);
      await using target = await Target.listen();
      const server = (host: string, port: number) =>
        startUrl(`server://${TEST_KEY}@${host}:${port}/127.0.0.1:0?mode=1`, { runtime });
      await using first = server(OLD, 0);
      const { port } = addressAfter(await first.line("Server started: "), "tunnel=");
      const url = `client://${TEST_KEY}@${NAME}:${port}/127.0.0.1:${target.address.port}?mode=2&min=4`;
      await using client = startUrl(url, { runtime, hosts: hosts.path });
      match(await client.line("Tunnel handshaked: "), new RegExp(`<-> ${OLD}:`));
      await using second = server(NEW, port);
      const entry = addressAfter(await second.line("Server started: "), "arrive at ");
      await hosts.move(NEW);
      const from = client.lines.length;
      first.signal("SIGKILL");
      match(await client.line("Tunnel handshaked: ", { from }), new RegExp(`<-> ${NEW}:`));
      await echoTcp(entry, 100_000, 1);
    },
  });
}
