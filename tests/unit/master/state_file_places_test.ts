import type { NodePassError } from "../../../src/errors.ts";
import { stateDirectory } from "../../../src/master/state_file/places.ts";
import type { Runtime } from "../../../src/runtime/types.ts";
import { equal, rejects, test } from "../../harness.ts";

function place(
  stateDir: string | null,
  env: Record<string, string>,
  options: { execPath?: string; folders?: readonly string[] } = {},
): Promise<string> {
  const runtime = {
    files: { exists: (path: string) => Promise.resolve(options.folders?.includes(path) ?? false) },
    process: {
      env: (name: string) => env[name],
      execPath: options.execPath ?? "/usr/bin/node",
      standalone: options.execPath !== undefined,
    },
  } as unknown as Runtime;
  return stateDirectory(runtime, { stateDir });
}

test("stateDirectory() takes what is said, else the usual place", async () => {
  const home = { HOME: "/home/a" };
  equal(await place("/srv/np", { ...home, XDG_STATE_HOME: "/x" }), "/srv/np/state");
  equal(await place(null, { ...home, XDG_STATE_HOME: "/x" }), "/x/nodepass/state");
  equal(await place(null, { ...home, XDG_STATE_HOME: "relative" }), "/home/a/.local/state/nodepass/state");
  equal(await place(null, home), "/home/a/.local/state/nodepass/state");
  equal(await place(null, { LOCALAPPDATA: "C:\\Users\\a" }), "C:\\Users\\a/nodepass/state");
  await rejects(
    place(null, {}),
    (error: NodePassError) => error.code === "usage" && /NP_STATE_DIR$/.test(error.message),
  );
});

test("stateDirectory() stays beside an executable with a gob folder", async () => {
  const old = { execPath: "/opt/np/nodepass", folders: ["/opt/np/gob"] };
  equal(await place(null, { HOME: "/root" }, old), "/opt/np/state");
  equal(await place("/srv", { HOME: "/root" }, old), "/srv/state");
  equal(await place(null, { HOME: "/root" }, { ...old, folders: [] }), "/root/.local/state/nodepass/state");
});
