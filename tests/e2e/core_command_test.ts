/** `nodepass core` as a process: first start, second start, tokens, mistakes, signals; on both runtimes. */
import { readFile, stat } from "node:fs/promises";
import https from "node:https";
import { join } from "node:path/posix";
import { deepEqual, equal, match, ok } from "../harness.ts";
import { certificateFolder, SERVER_NAME } from "./certificates.ts";
import { CoreProcess } from "./core_process.ts";
import { nodeMissing, type RuntimeName, startCommand } from "./process.ts";

const runtimes: readonly RuntimeName[] = ["deno", "node"];

for (const runtime of runtimes) {
  const test = (name: string, fn: () => Promise<void>): void =>
    Deno.test({ name: `core on ${runtime}: ${name}`, ignore: runtime === "node" && nodeMissing !== undefined, fn });

  test("shows its first token once, keeps its keys, and belongs to its owner alone", async () => {
    await using core = await CoreProcess.start({ runtime });
    match(core.adminToken, /^na1\.[\w-]{12}\.[\w-]{43}$/);
    const headers = { authorization: `Bearer ${core.adminToken}` };
    equal((await answer(`${core.base}/admin/nodes`, { headers })).status, 200);
    equal((await answer(`${core.base}/admin/nodes`)).status, 401);
    for (const file of ["core.db", "core.db.secret"]) {
      equal((await stat(join(core.folder, "data", file))).mode & 0o777, 0o600, file);
    }
    equal(await core.process.stop(), 0);
    ok(core.process.output.includes("Core stopped"));
    await core.again();
    equal((await answer(`${core.base}/admin/nodes`, { headers })).status, 200);
    equal(core.process.output.includes("na1."), false);
  });

  test("refuses a second one on the same database, and makes tokens beside the first", async () => {
    await using core = await CoreProcess.start({ runtime });
    await using second = startCommand(["core"], { runtime, env: core.env });
    equal(await second.exited, 1);
    match(second.output, /another|holds|locked/i);
    const args = ["core", "token", "create", "--scopes", "read", "--expires", "30d", "--json"];
    await using made = startCommand(args, { runtime, env: core.env });
    equal(await made.exited, 0);
    const { token, scopes, expiresAt } = JSON.parse(made.lines.join("\n"));
    deepEqual(scopes, ["read"]);
    const days = (expiresAt - Date.now()) / 86_400_000;
    ok(days > 29.9 && days <= 30, `${days} days`);
    await using never = startCommand(["core", "token", "create", "--expires", "0"], { runtime, env: core.env });
    equal(await never.exited, 2);
    match(never.output, /--expires is "0": expected a duration such as "30d"/);
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    equal((await answer(`${core.base}/admin/users`, { headers })).status, 200);
    equal((await answer(`${core.base}/admin/users`, { method: "POST", body: "{}", headers })).status, 403);
    equal((await answer(`${core.base}/admin/users`, { headers })).status, 200);
  });

  test("says everything that is wrong with its settings, and exits with 2", async () => {
    await using wrong = startCommand(["core"], {
      runtime,
      env: { PORT: "x", HOST: "0.0.0.0", NODE_REGISTRATION: "maybe", CORE_SECRET: "hunter2" },
    });
    equal(await wrong.exited, 2);
    for (const name of ["PORT", "HOST", "NODE_REGISTRATION", "CORE_SECRET"]) ok(wrong.output.includes(name), name);
    equal(wrong.output.includes("hunter2"), false);
    await using words = startCommand(["core", "dance"], { runtime });
    equal(await words.exited, 2);
  });

  test("refuses a database whose secret is another one", async () => {
    await using core = await CoreProcess.start({ runtime });
    equal(await core.process.stop(), 0);
    await using other = startCommand(["core"], { runtime, env: { ...core.env, CORE_SECRET: "y".repeat(40) } });
    equal(await other.exited, 2);
    match(other.output, /not the one it was made with/);
  });

  test("serves HTTP inside TLS, and reads the certificate again when told", async () => {
    await using files = await certificateFolder();
    await using core = await CoreProcess.start({ runtime, env: { TLS_CERT: files.chain, TLS_KEY: files.key } });
    match(core.base, /^https:/);
    const ca = await readFile(files.ca, "utf8");
    equal(await secureStatus(Number(new URL(core.base).port), ca), 404);
    core.process.signal("SIGHUP");
    equal(await secureStatus(Number(new URL(core.base).port), ca), 404);
    equal(await core.process.stop(), 0);
  });
}

async function answer(url: string, init: RequestInit = {}): Promise<{ status: number; body: string }> {
  const found = await fetch(url, { ...init, signal: AbortSignal.timeout(10_000) });
  return { status: found.status, body: await found.text() };
}

/** The status of a path that does not exist, on a connection of its own inside TLS. */
function secureStatus(port: number, ca: string): Promise<number> {
  const options = { host: "127.0.0.1", port, path: "/nowhere", ca, servername: SERVER_NAME, agent: false };
  return new Promise((resolve, reject) => {
    https.get(options, (response) => {
      response.resume();
      response.once("close", () => resolve(response.statusCode ?? 0));
    }).once("error", reject);
  });
}
