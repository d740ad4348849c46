import { commands } from "../../../src/command/commands.ts";
import { topics } from "../../../src/command/help_topics.ts";
import { version } from "../../../src/command/version.ts";
import { parseGeneratedKey } from "../../../src/generated_key.ts";
import { deepEqual, equal, match, ok, test } from "../../harness.ts";
import { FakeWorld } from "./fake_context.ts";
import denoConfig from "../../../deno.json" with { type: "json" };
import packageConfig from "../../../package.json" with { type: "json" };

test("nodepass without arguments shows version and usage and exits 1", async () => {
  const world = new FakeWorld();
  equal(await world.run(), 1);
  match(world.stdout, /^nodepass v\d+\.\d+\.\d+\n/);
  match(world.stdout, /Usage/);
  equal(world.stderr, "");
});

test("nodepass version agrees with the packages", async () => {
  equal(version, denoConfig.version);
  equal(version, packageConfig.version);
  for (const args of [["version"], ["--version"], ["-v"]]) {
    const world = new FakeWorld();
    equal(await world.run(...args), 0);
    equal(world.stdout, `nodepass v${version}\n`);
  }
  const world = new FakeWorld();
  await world.run("version", "--json");
  deepEqual(JSON.parse(world.stdout), { version, runtime: "deno" });
});

test("nodepass help explains every command and topic, and mentions none that does not exist", async () => {
  ok(commands.length > 5 && topics.length > 3);
  for (const { name } of [...commands, ...topics]) {
    const world = new FakeWorld();
    equal(await world.run("help", name), 0, name);
    ok(world.stdout.length > 50, name);
    ok(!/\bagent\b/.test(world.stdout), name);
    for (const line of world.stdout.split("\n").filter((line) => line.startsWith("   "))) ok(line.length <= 120, line);
  }
  for (const { name } of commands) {
    const world = new FakeWorld();
    equal(await world.run(name, "--help"), 0);
    match(world.stdout, /Examples/);
  }
  const world = new FakeWorld();
  equal(await world.run("help", "evironment"), 2);
  match(world.stderr, /did you mean "environment"/);
});

test("nodepass answers a wrong command or flag with a hint and exits 2", async () => {
  const cases: [string[], RegExp][] = [
    [["verfy"], /^nodepass: Command "verfy" does not exist: did you mean "verify"\?\n$/],
    [["engin"], /Command "engin" does not exist: see "nodepass help"/],
    [["master", "server://:1/:2"], /Cannot read master URL "server:\/\/:1\/:2"/],
    [["master://:9090?mode=1"], /there is no parameter of this name, a master takes/],
    [["master://:9090", "--tls", "3"], /Parameter "tls" is "3"/],
    [["server", "--tunel-port", "1"], /Flag --tunel-port does not exist here: did you mean --tunnel-port\?/],
    [["server", "--tunnel-port"], /Flag --tunnel-port has no value/],
    [["server", "--tls", "--mode", "1"], /Flag --tls has no value/],
    [["keygen", "--json=1"], /Flag --json takes no value/],
    [["keygen", "x"], /Too many arguments/],
    [["verify"], /Argument <url\|file> is missing/],
    [["run"], /Flag -c is missing/],
    [["server"], /Flag --tunnel-port is missing/],
    [["server", "client://a:1/b:2"], /expected server:\/\/ for "nodepass server"/],
    [["completions", "csh"], /Shell "csh" is not known: expected bash, zsh, fish/],
    [["server://127.0.0.1:1/a:2", "--log-format", "xml"], /Flag --log-format is "xml"/],
  ];
  for (const [args, pattern] of cases) {
    const world = new FakeWorld();
    equal(await world.run(...args), 2, args.join(" "));
    match(world.stderr, pattern);
    equal(world.tunnels.length, 0);
  }
});

test("nodepass never shows a key in an error", async () => {
  for (
    const args of [["hunter2@h:1"], ["sever://hunter2@h:1/a:2"], ["server", "--tunnel-key", "hunter2"], [
      "verify",
      "server://hunter2@h/",
    ]]
  ) {
    const world = new FakeWorld();
    equal(await world.run(...args), 2);
    ok(!`${world.stdout}${world.stderr}`.includes("hunter2"), args.join(" "));
  }
});

test("nodepass keygen prints a new key each time", async () => {
  const world = new FakeWorld();
  equal(await world.run("keygen"), 0);
  equal(await world.run("keygen"), 0);
  const [one = "", two = ""] = world.stdout.trim().split("\n");
  ok(parseGeneratedKey(one) !== null && parseGeneratedKey(two) !== null && one !== two);
  const json = new FakeWorld();
  await json.run("keygen", "--json");
  ok(parseGeneratedKey(JSON.parse(json.stdout).key) !== null);
});

test("nodepass verify says everything at once: environment, URL, files", async () => {
  const world = new FakeWorld();
  world.env = { NP_WORKERS: "x" };
  world.files = { "/c.pem": "no certificate" };
  equal(await world.run("verify", "server://k@127.0.0.1:1/a:2?tls=2&crt=/c.pem&key=/k.pem"), 2);
  match(world.stdout, /error {4}Environment variable NP_WORKERS is "x"/);
  match(world.stdout, /Parameter "crt" is "\/c\.pem": expected a PEM certificate in this file/);
  match(world.stdout, /Parameter "key" is "\/k\.pem": cannot read this file, it does not exist/);
  equal(world.tunnels.length, 0);
});

test("nodepass verify --json describes a URL and a file", async () => {
  const world = new FakeWorld();
  equal(await world.run("verify", "client://hunter2@h:1/a:2?max=1", "--json"), 0);
  const { ok: good, tunnels } = JSON.parse(world.stdout);
  equal(good, true);
  equal(tunnels[0].url, "client://***@h:1/a:2?max=1");
  match(tunnels[0].config, /^client:\/\/\*\*\*@h:1\/a:2\?block=0&/);
  equal(tunnels[0].warnings.length, 2);

  const file = new FakeWorld();
  file.files = {
    "x.json":
      '["server://127.0.0.1:1/a:2", {"name": "n", "url": "client://k@h:1/a:2?slot=x"}, "server://127.0.0.1:1/a:2"]',
  };
  equal(await file.run("verify", "x.json", "--json"), 2);
  const report = JSON.parse(file.stdout);
  equal(report.ok, false);
  deepEqual(report.findings, ["Tunnel 3 is the same as tunnel 1: expected every tunnel once"]);
  match(report.tunnels[1].findings[0], /^Tunnel "n": Parameter "slot" is "x"/);
});

test("nodepass completions writes a script that knows every command and flag", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const world = new FakeWorld();
    equal(await world.run("completions", shell), 0);
    for (const { name, flags } of commands) {
      ok(world.stdout.includes(name));
      for (const flag of flags) {
        ok(world.stdout.includes(shell === "fish" ? `-l ${flag.name} ` : `--${flag.name}`), flag.name);
      }
    }
  }
});
