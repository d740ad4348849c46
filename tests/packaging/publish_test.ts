import { equal } from "../harness.ts";
import { runChild } from "../../scripts/gate/child.ts";
import { ROOT } from "../../scripts/gate/files.ts";

Deno.test("deno publish --dry-run is clean", async () => {
  const command = [Deno.execPath(), "publish", "--dry-run", "--allow-dirty", "--quiet"];
  const { code, output } = await runChild(command, { limitMs: 120_000, cwd: ROOT });
  equal(code, 0, output);
});
