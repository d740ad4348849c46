/**
 * `deno task assets`: makes the dashboard that the master serves out of its sources; `--check` only says whether what
 * is there is what they make.
 *
 * @module
 */

import { join } from "node:path/posix";
import { ROOT } from "../gate/files.ts";
import { ASSETS, buildAssets } from "./build.ts";

const made = await buildAssets(ROOT);
const path = join(ROOT, ASSETS);
if (!Deno.args.includes("--check")) {
  await Deno.writeTextFile(path, made);
  console.log(`${ASSETS}: ${Math.round(made.length / 1024)} KiB`);
} else if (await Deno.readTextFile(path) !== made) {
  console.error(`${ASSETS} is not what its sources make: run \`deno task assets\``);
  Deno.exit(1);
}
