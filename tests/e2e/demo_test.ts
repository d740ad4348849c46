import { join } from "node:path/posix";
import { equal, match, ok } from "../harness.ts";
import { ROOT } from "../../scripts/gate/files.ts";
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

/** The processes of both ends. */
async function endsOf(demo: NodePassProcess): Promise<number[]> {
  const children = await Deno.readTextFile(`/proc/${demo.pid}/task/${demo.pid}/children`);
  return children.trim().split(" ").map(Number);
}

async function isAlive(pid: number): Promise<boolean> {
  // A process that nobody waited for is still listed, as a zombie.
  const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "State:\tZ");
  return !/^State:\tZ/m.test(status);
}

Deno.test("demo --once shows a request and 50 MB through the tunnel, and how to do it for real", async () => {
  await using demo = startDemo("--once");
  equal(await demo.exited, 0, demo.output);
  match(demo.output, /"Hello from the web server behind the tunnel"/);
  match(demo.output, /100 % {2}50\.0 MB of 50\.0 MB/);
  match(demo.output, /Every byte arrived as it was sent/);
  match(demo.output, /"server:\/\/npk1_[\w-]{43}@0\.0\.0\.0:10101\/0\.0\.0\.0:8080"/);
  match(demo.output, /"client:\/\/npk1_[\w-]{43}@SERVER:10101\/127\.0\.0\.1:80"/);
});

Deno.test("demo stays until Ctrl-C and takes its processes with it", async () => {
  await using demo = startDemo();
  const [url] = /http:\S+/.exec(await demo.line("The tunnel goes on"))!;
  equal(await (await fetch(url)).text(), "Hello from the web server behind the tunnel\n");
  await demo.line(/round trip \d+ ms, \d+ links ready/);
  const ends = await endsOf(demo);
  equal(ends.length, 2);
  demo.signal("SIGINT");
  equal(await demo.exited, 0, demo.output);
  for (const pid of ends) equal(await isAlive(pid), false);
});

Deno.test("demo fails with a clear line when one of its ends goes", async () => {
  await using demo = startDemo();
  await demo.line("The tunnel goes on");
  const [server, client] = await endsOf(demo);
  ok(server !== undefined && client !== undefined);
  Deno.kill(server, "SIGKILL");
  equal(await demo.exited, 1, demo.output);
  match(demo.errorLines.join("\n"), /demo: The server ended by itself with exit code \d+/);
  equal(await isAlive(client), false);
});
