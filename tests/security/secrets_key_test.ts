/** Which keys are taken, on every way to start an end. */
import { startServer } from "../../src/start/server.ts";
import { startCommand } from "../e2e/process.ts";
import { equal, match, ok, rejects } from "../harness.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { LinesLogger } from "../unit/tunnel/forward_fixture.ts";

const EVERYWHERE = "server://0.0.0.0:0/127.0.0.1:0?mode=1";
const GOOD = "0123456789abcdef";

interface Answer {
  readonly code: number | null;
  readonly text: string;
}

/** Starts an end; its exit code, or null when it started. */
async function start(url: string, env: Record<string, string> = {}): Promise<Answer> {
  await using process = startCommand([url], { env });
  const started = process.line("Server started").then(() => null, () => null);
  const code = await Promise.race([started, process.exited]);
  return { code, text: process.output };
}

Deno.test("a server off loopback without a key does not start, and shows the command to run instead", async () => {
  const { code, text } = await start(EVERYWHERE);
  equal(code, 2);
  match(text, /Tunnel key is missing and 0\.0\.0\.0:0 is not a loopback address/);
  const command = /run {2}(key=\$\(nodepass keygen\) .*?) {2}and give/.exec(text)?.[1];
  equal(command, `key=$(nodepass keygen) && echo "$key" && nodepass "server://$key@0.0.0.0:0/127.0.0.1:0?mode=1"`);
  match(text, /NP_ALLOW_PORT_KEY=1/);
});

Deno.test("the command that is shown starts a server", async () => {
  const { text } = await start(EVERYWHERE);
  const command = /run {2}(key=.*?) {2}and give/.exec(text)![1]!;
  const nodepass = `${Deno.execPath()} run --quiet --no-check --cached-only -A ${
    new URL("../../cli.ts", import.meta.url).pathname
  }`;
  const child = new Deno.Command("sh", {
    args: ["-c", `nodepass() { ${nodepass} "$@"; }\n${command} & wait $!`],
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let output = "";
  while (!output.includes("Server started")) {
    const { value, done } = await reader.read();
    if (done) break;
    output += value;
  }
  const [key] = output.split("\n");
  match(key!, /^npk1_/);
  match(output, /Server started/);
  equal(output.indexOf(key!), output.lastIndexOf(key!));
  for (const pid of await descendants(child.pid)) Deno.kill(pid, "SIGKILL");
  await reader.cancel();
  await child.stderr.cancel();
  await child.status;
});

Deno.test("keys off loopback: short ones are warned about, NP_REQUIRE_KEY refuses them, NP_ALLOW_PORT_KEY runs without", async () => {
  const short = EVERYWHERE.replace("://", "://short@");
  const good = EVERYWHERE.replace("://", `://${GOOD}@`);
  const warned = await start(short);
  equal(warned.code, null);
  match(warned.text, /WARN.*fewer than 16 characters.*nodepass keygen/);
  const demanded = await start(short, { NP_REQUIRE_KEY: "1" });
  equal(demanded.code, 2);
  match(demanded.text, /NP_REQUIRE_KEY is 1/);
  const allowed = await start(EVERYWHERE, { NP_ALLOW_PORT_KEY: "1" });
  equal(allowed.code, null);
  match(allowed.text, /WARN.*no secret, anybody can use/);
  equal((await start(EVERYWHERE, { NP_ALLOW_PORT_KEY: "1", NP_REQUIRE_KEY: "1" })).code, 2);
  const fine = await start(good, { NP_REQUIRE_KEY: "1" });
  equal(fine.code, null);
  ok(!/WARN/.test(fine.text), fine.text);
  equal((await start("server://127.0.0.1:0/127.0.0.1:0?mode=1")).code, null);
});

Deno.test("NP_KEY_FILE gives the key; a URL with a key does not look at it, at the command and in the library", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/key`, `${GOOD}\n`);
    const env = { NP_KEY_FILE: `${folder}/key`, NP_REQUIRE_KEY: "1" };
    equal((await start(EVERYWHERE, env)).code, null);
    const missing = { NP_KEY_FILE: `${folder}/none` };
    const refused = await start(EVERYWHERE, missing);
    equal(refused.code, 2);
    match(refused.text, /NP_KEY_FILE is ".*none": cannot read this file, it does not exist/);
    const named = EVERYWHERE.replace("://", `://${GOOD}@`);
    equal((await start(named, missing)).code, null);

    const real = await detectRuntime();
    const variables: Record<string, string> = missing;
    const runtime = { ...real, process: { ...real.process, env: (name: string) => variables[name] } };
    const logger = new LinesLogger();
    await (await startServer(named, { runtime, logger })).close({ graceMs: 0 });
    await rejects(startServer(EVERYWHERE, { runtime }), {
      code: "usage",
      message: /NP_KEY_FILE is ".*none": cannot read this file, it does not exist/,
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** A process and all that came from it. */
async function descendants(pid: number): Promise<number[]> {
  const children = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`).catch(() => "");
  const all = [pid];
  for (const child of children.trim().split(" ")) if (child !== "") all.push(...await descendants(Number(child)));
  return all;
}
