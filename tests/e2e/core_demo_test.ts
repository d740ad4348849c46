/** `nodepass core demo`: what it prints works; a database that is in use is left alone. */
import { equal, match, ok } from "../harness.ts";
import { CoreProcess } from "./core_process.ts";
import { nodeMissing, type RuntimeName, startCommand } from "./process.ts";

for (const runtime of ["deno", "node"] as const satisfies readonly RuntimeName[]) {
  const ignore = runtime === "node" && nodeMissing !== undefined;
  Deno.test({ name: `core demo on ${runtime}`, ignore, fn: () => demo(runtime) });
}

async function demo(runtime: RuntimeName): Promise<void> {
  await using core = await CoreProcess.start({ runtime });
  await using refused = startCommand(["core", "demo"], { runtime, env: core.env });
  equal(await refused.exited, 1);
  equal(await core.process.stop(), 0);
  await using used = startCommand(["core", "demo"], { runtime, env: core.env });
  equal(await used.exited, 2);
  match(used.output, /it is in use/);
  const env = { ...core.env, DATABASE_URL: core.env.DATABASE_URL!.replace("core.db", "demo.db") };
  await using filled = startCommand(["core", "demo"], { runtime, env });
  await filled.line("/admin/subscriptions/1");
  const value = (pattern: RegExp): string => pattern.exec(filled.output)![1]!;
  const base = value(/^HTTP {2}(\S+)/m);
  const bearer = { Authorization: `Bearer ${value(/TOKEN=(\S+)/)}` };
  const key = { "x-node-auth-key": value(/^ {2}KEY=(\S+)/m) };
  const { items } = await (await fetch(`${base}/admin/links?userId=1`, { headers: bearer })).json();
  equal(items.length, 2);
  const clients = async (): Promise<number> => {
    const config = await (await fetch(`${base}/node/config/latest`, { headers: key })).json();
    return Object.keys(config.clientMap).length;
  };
  equal(await clients(), 2);
  const change = await fetch(`${base}/admin/subscriptions/1`, {
    method: "PATCH",
    headers: { ...bearer, "Content-Type": "application/json" },
    body: '{"status":"disabled"}',
  });
  ok(change.ok);
  await change.body?.cancel();
  for (const until = Date.now() + 10_000; await clients() !== 1;) {
    ok(Date.now() < until, "the next revision comes without alice");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  equal(await filled.stop(), 0);
}
