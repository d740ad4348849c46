/**
 * Builds what is published, into `build/`: `deno task package npm`, `deno task package deno` or `deno task package node`.
 *
 * @module
 */

import { join } from "node:path/posix";
import { ROOT } from "../gate/files.ts";
import { buildDenoExecutable, buildNodeExecutable } from "./executables.ts";
import { buildNpmPackage } from "./npm_package.ts";

const BUILD = join(ROOT, "build");
const builders: Readonly<Record<string, () => Promise<string>>> = {
  npm: () => buildNpmPackage(ROOT, join(BUILD, "npm")),
  deno: () => buildDenoExecutable(ROOT, join(BUILD, "nodepass-deno")),
  node: () => buildNodeExecutable(ROOT, join(BUILD, "nodepass-node")),
};

const chosen = Deno.args.length > 0 ? Deno.args : Object.keys(builders);
const unknown = chosen.filter((name) => builders[name] === undefined);
if (unknown.length > 0) {
  console.error(`Cannot build ${unknown.join(", ")}: expected ${Object.keys(builders).join(", ")}`);
  Deno.exit(2);
}
await Deno.mkdir(BUILD, { recursive: true });
for (const name of chosen) console.log(await builders[name]?.());
