import { minimalPermissions } from "../../src/config/permissions.ts";
import { defaultSettings } from "../../src/config/settings.ts";
import { parseTunnelUrl } from "../../src/config/tunnel_url.ts";
import { deepEqual, equal, match, ok } from "../harness.ts";
import { startPair } from "./ends.ts";
import { echoTcp } from "./load.ts";
import { nodeMissing, type NodePassProcess, type RuntimeName, startCommand, startUrl } from "./process.ts";
import { Target } from "./targets.ts";

/** Where a forwarder says that it listens. */
async function entryOf(nodepass: NodePassProcess, from = 0): Promise<{ readonly host: string; readonly port: number }> {
  const line = await nodepass.line(/Forwarding visitors|Client started/, { from });
  return { host: "127.0.0.1", port: Number(/127\.0\.0\.1:(\d+)/.exec(line)?.[1]) };
}

const forwarder = "client://127.0.0.1:0/127.0.0.1:9?mode=1";

for (const runtime of ["deno", "node"] as const satisfies readonly RuntimeName[]) {
  const skip = runtime === "node" ? nodeMissing : undefined;
  const on = (name: string, fn: () => Promise<void>): void =>
    Deno.test({ name: `${name} (${runtime})`, ignore: skip !== undefined, fn });

  on("nodepass without arguments prints its version and exits 1", async () => {
    await using nodepass = startCommand([], { runtime });
    equal(await nodepass.exited, 1);
    match(nodepass.lines[0] ?? "", /v\d+\.\d+\.\d+/);
    deepEqual(nodepass.errorLines, []);
  });

  on("nodepass refuses a bad URL with every finding and exits 2", async () => {
    await using nodepass = startCommand(["server://:0/nope?slot=x&tsl=1"], { runtime });
    equal(await nodepass.exited, 2);
    equal(nodepass.errorLines.length, 4, nodepass.output);
  });

  on("nodepass hides the key from the process list", async () => {
    const url = "server://hunter2hunter2hunter2@127.0.0.1:0/127.0.0.1:0?mode=1";
    await using nodepass = startCommand([url], { runtime });
    await nodepass.line("Server started");
    const shown = await new Deno.Command("ps", { args: ["-o", "args=", "-p", String(nodepass.pid)] }).output();
    ok(!new TextDecoder().decode(shown.stdout).includes("hunter2"));
    ok(!nodepass.output.includes("hunter2"));
    equal(await nodepass.stop(), 0);
  });

  on("nodepass forwards, and ends with 0 on SIGTERM and SIGINT", async () => {
    await using target = await Target.listen();
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      await using nodepass = startUrl(`client://127.0.0.1:0/127.0.0.1:${target.address.port}?mode=1`, { runtime });
      await echoTcp(await entryOf(nodepass), 100_000, 1);
      nodepass.signal(signal);
      equal(await nodepass.exited, 0, nodepass.output);
    }
  });

  on("a second signal ends nodepass while a session is still open", async () => {
    await using target = await Target.listen();
    await using nodepass = startUrl(`client://127.0.0.1:0/127.0.0.1:${target.address.port}?mode=1`, {
      runtime,
      env: { NP_SHUTDOWN_TIMEOUT: "1m" },
    });
    const { port } = await entryOf(nodepass);
    using visitor = await Deno.connect({ port });
    await visitor.write(new Uint8Array(1));
    await visitor.read(new Uint8Array(1));
    nodepass.signal("SIGTERM");
    await nodepass.line("Stopping");
    nodepass.signal("SIGTERM");
    equal(await nodepass.exited, 1);
  });

  on("nodepass run reloads its file on SIGHUP", async () => {
    const path = await Deno.makeTempFile({ suffix: ".toml" });
    try {
      await Deno.writeTextFile(path, `tunnels = [{ name = "first", url = "${forwarder}" }]`);
      await using nodepass = startCommand(["run", "-c", path], { runtime });
      const first = await entryOf(nodepass);
      const { length } = nodepass.lines;
      await Deno.writeTextFile(path, `tunnels = [{ name = "first", url = "${forwarder}" }, "${forwarder}&slot=1"]`);
      nodepass.signal("SIGHUP");
      const second = await entryOf(nodepass, length);
      ok(first.port !== second.port);
      (await Deno.connect({ port: first.port })).close();
      equal(await nodepass.stop(), 0);
    } finally {
      await Deno.remove(path);
    }
  });
}

Deno.test("nodepass server and client take flags instead of a URL", async () => {
  await using target = await Target.listen();
  await using nodepass = startCommand([
    ...["client", "--tunnel-host", "127.0.0.1", "--tunnel-port", "0", "--mode", "1"],
    ...["--target", `127.0.0.1:${target.address.port}`, "--log-format", "json"],
  ]);
  await echoTcp(await entryOf(nodepass), 10, 1);
  for (const line of nodepass.lines) JSON.parse(line);
});

Deno.test("a tunnel whose addresses are all literal works under permissions for exactly these", async () => {
  await using target = await Target.listen();
  await using pair = await startPair({ targets: [target.address], serverQuery: "noudp=1", clientQuery: "noudp=1" });
  await echoTcp(pair.entry, 1_000_000, 1);
  for (const process of [pair.server, pair.client]) {
    ok(!/permission denied|was not given the permission|Requires \w+ access/i.test(process.output), process.output);
  }
  const { config } = parseTunnelUrl(forwarder, { settings: defaultSettings, strict: true });
  ok(minimalPermissions({ ...config, udp: false }).flags.includes("--allow-net=127.0.0.1:0,127.0.0.1:9"));
});
