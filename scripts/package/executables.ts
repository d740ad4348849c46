/**
 * Builds the single executables: Deno's and Node's.
 *
 * @module
 */

import { join } from "node:path/posix";
import { findNode } from "../gate/node_program.ts";
import { bundleFile, bundleFolder } from "./bundle.ts";
import { toScript } from "./script_form.ts";
import { runTool } from "./tool.ts";

/** The tool that writes the bundle into a copy of the Node program. */
const INJECTOR = "postject@1.0.0-alpha.6";
/** The script once more, as text: what a worker thread runs. */
const EMBEDDED_SCRIPT = "nodepass";
/** The mark in every Node program that tells whether a bundle was written into it. */
const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

/**
 * Builds `target` with `deno compile`.
 *
 * The run-time stub is normally downloaded. With `stub`, a Deno program is used in its place: the build then proves that
 * the module graph and the embedded files are complete, but what it writes does not run.
 */
export async function buildDenoExecutable(
  root: string,
  target: string,
  options: { stub?: string } = {},
): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "nodepass-executable-" });
  try {
    const main = await bundleFolder(root, folder);
    const flags = ["-A", "--unstable-net", "--no-config", "--quiet", "-o", target];
    const build = [Deno.execPath(), "compile", ...flags, main];
    await runTool(options.stub === undefined ? build : ["env", `DENORT_BIN=${options.stub}`, ...build], root);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return target;
}

/** Builds `target` from the Node program at hand and the bundled command. */
export async function buildNodeExecutable(root: string, target: string): Promise<string> {
  const found = await findNode();
  if (found === null) throw new Error("Cannot build the Node executable: no Node >= 22.18 was found");
  const { stdout } = await runTool([found, "-p", "process.execPath"], root);
  const node = await Deno.realPath(stdout.trim());
  const folder = await Deno.makeTempDir({ prefix: "nodepass-executable-" });
  try {
    const main = join(folder, "cli.cjs");
    const module = join(folder, "cli.mjs");
    await bundleFile(root, module);
    await Deno.writeTextFile(main, toScript(await Deno.readTextFile(module)));
    const blob = join(folder, "cli.blob");
    const config = join(folder, "config.json");
    const assets = { [EMBEDDED_SCRIPT]: main };
    const options = { main, output: blob, assets, disableExperimentalSEAWarning: true, useCodeCache: true };
    await Deno.writeTextFile(config, JSON.stringify(options));
    await runTool([node, "--experimental-sea-config", config], root);
    const built = join(folder, "nodepass");
    await Deno.copyFile(node, built);
    await Deno.chmod(built, 0o755);
    await runTool(["npx", "-y", INJECTOR, built, "NODE_SEA_BLOB", blob, "--sentinel-fuse", FUSE], root);
    await Deno.copyFile(built, target);
    await Deno.chmod(target, 0o755);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return target;
}
