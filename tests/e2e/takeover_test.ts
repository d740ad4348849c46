/** A master started where a Go master was: with the permissions that are printed, and without them. */
import { join } from "node:path/posix";
import { equal, match, ok } from "../harness.ts";
import { nodeMissing, startCommand } from "./process.ts";

const RECORDED = new URL("../fixtures/gob/state-1.14.gob", import.meta.url);
const URL_OF_MASTER = "master://127.0.0.1:0";
const runtimes = (["deno", "node"] as const).filter((runtime) => runtime === "deno" || nodeMissing === undefined);

async function besideGo(run: (directory: string, env: Record<string, string>) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(directory, "gob"));
    await Deno.copyFile(RECORDED, join(directory, "gob/nodepass.gob"));
    await run(directory, { NP_STATE_DIR: directory, NP_ENGINES: "1" });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function printed(env: Record<string, string>): Promise<string[]> {
  await using command = startCommand(["permissions", URL_OF_MASTER], { env });
  equal(await command.exited, 0);
  return command.lines[0]!.split(" ");
}

/** Starts a master until it listens, and gives what it said. */
async function firstStart(env: Record<string, string>, options: Parameters<typeof startCommand>[1]): Promise<string> {
  await using master = startCommand([URL_OF_MASTER], { env, ...options });
  await master.line("Master started");
  master.signal("SIGTERM");
  equal(await master.exited, 0);
  return master.output;
}

async function key(env: Record<string, string>): Promise<string> {
  await using command = startCommand(["state", "key"], { env });
  equal(await command.exited, 0);
  return command.output.trim();
}

for (const runtime of runtimes) {
  Deno.test(`A first start takes over what a Go master left, with the printed permissions: ${runtime}`, () =>
    besideGo(async (directory, env) => {
      const flags = await printed(env);
      const read = flags.find((flag) => flag.startsWith("--allow-read="));
      equal(read, `--allow-read=${directory}/state,${directory}/gob/nodepass.gob`);
      const output = await firstStart(env, { runtime, permissions: ["--no-prompt", ...flags] });
      match(output, /The state of a Go master was taken over path=\S+nodepass\.gob instances=2 changes="2 instances/);
      ok(!output.includes("A new API key was made"), output);
      equal(await key(env), "b80b310d12a9752c77c5ed16cca18a2d");
      ok(!(await printed(env)).join().includes("gob"), "nothing is left to take over");
    }));
}

Deno.test("A first start without the permission takes nothing over and says nothing", () =>
  besideGo(async (directory, env) => {
    const flags = (await printed(env)).map((flag) => flag.replace(`,${directory}/gob/nodepass.gob`, ""));
    const output = await firstStart(env, { permissions: ["--no-prompt", ...flags] });
    ok(!/Go master|permission/i.test(output), output);
    match(output, /A new API key was made/);
  }));
