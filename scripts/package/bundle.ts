/**
 * Puts the command and all that it imports into JavaScript that needs nothing beside it.
 *
 * @module
 */

import { join } from "node:path/posix";
import { runTool } from "./tool.ts";

const ENTRY = "cli.ts";
/** How the bundler marks text of packages; the group is the folder of the package. */
const ORIGIN = /^\/\/ (\S*node_modules\/(?:@[^/\s]+\/)?[^/\s]+)\/[^\s]*$/gm;

/** One file: what Node starts from, alone or inside an executable. Not minified: a trace still says something. */
export async function bundleFile(root: string, target: string): Promise<void> {
  await bundle(root, "-o", target);
  await addLicenses(root, target, [target]);
}

/**
 * A folder of files, of which each command loads those that it needs; gives the path of the first one. What Deno starts
 * from: one file puts all its imports first, and the `node:` modules are dear there.
 */
export async function bundleFolder(root: string, target: string): Promise<string> {
  await bundle(root, "--code-splitting", "--outdir", target);
  const main = join(target, "cli.js");
  await addLicenses(root, main, [...Deno.readDirSync(target)].map(({ name }) => join(target, name)));
  return main;
}

async function bundle(root: string, ...output: string[]): Promise<void> {
  await runTool([Deno.execPath(), "bundle", "--quiet", "--platform", "deno", ...output, ENTRY], root);
}

/** Adds the licenses of the packages that are part of `files` as comments: they ask to be kept with every copy. */
async function addLicenses(root: string, target: string, files: readonly string[]): Promise<void> {
  const texts = await Promise.all(files.map((file) => Deno.readTextFile(file)));
  const folders = new Set(texts.flatMap((text) => [...text.matchAll(ORIGIN)].map(([, folder]) => join(root, folder!))));
  if (folders.size === 0) throw new Error("Cannot tell which packages are in the bundle: it names none");
  const licenses = await Promise.all([...folders].sort().map(licenseIn));
  const comments = licenses.map((license) => `/*!\n${license}\n*/\n`).join("");
  await Deno.writeTextFile(target, comments, { append: true });
}

/** Licenses of packages that come without theirs. */
const KEPT = join(import.meta.dirname!, "licenses");

async function licenseIn(folder: string): Promise<string> {
  const { name, version } = JSON.parse(await Deno.readTextFile(join(folder, "package.json")));
  for await (const entry of Deno.readDir(folder)) {
    if (!/^(un)?licen[cs]e/i.test(entry.name)) continue;
    const license = await Deno.readTextFile(join(folder, entry.name));
    return `${name} ${version}\n\n${license.trim()}`;
  }
  try {
    return `${name} ${version}\n\n${(await Deno.readTextFile(join(KEPT, `${name.replace("/", "__")}.txt`))).trim()}`;
  } catch (error) {
    throw new Error(`Cannot find the license of ${name} in ${folder}`, { cause: error });
  }
}
