import { join } from "node:path/posix";
import { equal, match, ok } from "../harness.ts";
import { ROOT } from "../../scripts/gate/files.ts";
import { until } from "../../scripts/bench/proc_files.ts";
import { NodePassProcess } from "./process.ts";

/** The demonstration as `deno task demo` runs it. */
function startDemo(...args: string[]): NodePassProcess {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", join(ROOT, "scripts/demo/main.ts"), ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  return new NodePassProcess(child.spawn());
}

async function childrenOf(pid: number): Promise<number[]> {
  const children = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
  return children.trim().split(" ").filter((text) => text !== "").map(Number);
}

function isAlive(pid: number): boolean {
  try {
    // A process that nobody waited for is still listed, as a zombie.
    return !/^State:\tZ/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

Deno.test("demo --once shows a request and 50 MB through a tunnel of a master, and how to do it for real", async () => {
  await using demo = startDemo("--once");
  equal(await demo.exited, 0, demo.output);
  match(demo.output, /Dashboard: http:\/\/127\.0\.0\.1:\d+\/api\/\n {3}API key: {3}[0-9a-f]{32}/);
  match(demo.output, /POST \/api\/v1\/instances .*server:\/\/\*\*\*@/);
  match(demo.output, /"Hello from the web server behind the tunnel"/);
  match(demo.output, /100 % {2}50\.0 MB of 50\.0 MB/);
  match(demo.output, /Every byte arrived as it was sent/);
  match(demo.output, /"master:\/\/127\.0\.0\.1:9090"/);
  match(demo.output, /"server:\/\/npk1_[\w-]{43}@0\.0\.0\.0:10101\/0\.0\.0\.0:8080"/);
  match(demo.output, /"client:\/\/npk1_[\w-]{43}@SERVER:10101\/127\.0\.0\.1:80"/);
});

Deno.test("demo stays until Ctrl-C, shows its dashboard, and takes its processes with it", async () => {
  await using demo = startDemo();
  const [url] = /http:[^\s,]+/.exec(await demo.line("The tunnel goes on"))!;
  equal(await (await fetch(url)).text(), "Hello from the web server behind the tunnel\n");
  const [dashboard] = /http:\S+/.exec(await demo.line("Dashboard:"))!;
  const page = await fetch(dashboard);
  equal(page.status, 200);
  match(await page.text(), /^<!doctype html>/i);
  await demo.line(/round trip \d+ ms, \d+ links ready/);
  const [master] = await childrenOf(demo.pid);
  const engines = await childrenOf(master!);
  ok(engines.length > 0);
  demo.signal("SIGINT");
  equal(await demo.exited, 0, demo.output);
  for (const pid of [master!, ...engines]) equal(isAlive(pid), false);
});

Deno.test("demo fails with a clear line when its master goes", async () => {
  await using demo = startDemo();
  await demo.line("The tunnel goes on");
  const [master] = await childrenOf(demo.pid);
  const engines = await childrenOf(master!);
  Deno.kill(master!, "SIGKILL");
  equal(await demo.exited, 1, demo.output);
  match(demo.errorLines.join("\n"), /demo: The master ended by itself with exit code \d+/);
  await until("the engines to go", () => engines.every((pid) => !isAlive(pid)), 5_000);
});
