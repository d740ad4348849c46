import { join } from "node:path/posix";
import { ok } from "../harness.ts";
import { read, ROOT } from "../../scripts/gate/files.ts";
import { buildDenoExecutable, buildNodeExecutable } from "../../scripts/package/executables.ts";
import { checkCommand, checkTunnel } from "./tunnel_check.ts";

/** Runs a check with a folder of its own. */
async function inFolder(check: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "nodepass-executables-" });
  try {
    await check(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("deno compile takes the whole graph", () =>
  inFolder(async (folder) => {
    const built = await buildDenoExecutable(ROOT, join(folder, "nodepass"), { stub: Deno.execPath() });
    const { size } = await Deno.stat(built);
    const stub = await Deno.stat(Deno.execPath());
    ok(size > stub.size, `${size} bytes hold no more than the stub`);
  }));

Deno.test("the Node executable tunnels", () =>
  inFolder(async (folder) => {
    const built = await buildNodeExecutable(ROOT, join(folder, "nodepass"));
    await checkCommand([built], JSON.parse(read("deno.json")).version);
    await checkTunnel([built], { NP_WORKERS: "2" });
  }));
