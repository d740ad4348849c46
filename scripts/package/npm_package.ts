/**
 * Builds the npm package: JavaScript and declarations of the library from the sources, the command as one file that
 * starts fast, the manifest of the repository.
 *
 * @module
 */

import { join } from "node:path/posix";
import { bundleFile } from "./bundle.ts";
import { runTool } from "./tool.ts";

/** What only the command uses: it is part of the bundle. */
const BUNDLED: readonly string[] = ["cli.d.ts", "src/command"];
/** Files of the root that travel with the package. */
const PAGES: readonly string[] = ["README.md", "LICENSE", "CHANGELOG.md"];
const SHEBANG = "#!/usr/bin/env node\n";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly [member: string]: unknown;
}

/** Builds the package of the sources in `root` into `target` and gives the path of its tarball. */
export async function buildNpmPackage(root: string, target: string): Promise<string> {
  await Deno.mkdir(target, { recursive: true });
  const packed = join(target, "emitted.tgz");
  await runTool([Deno.execPath(), "pack", "--allow-dirty", "--no-source-maps", "-o", packed], root);
  await runTool(["tar", "-xzf", packed, "-C", target], root);
  await Deno.remove(packed);
  const folder = join(target, "package");
  for (const page of PAGES) await Deno.copyFile(join(root, page), join(folder, page)).catch(ignoreMissing);
  await removeSources(folder);
  const cli = join(folder, "cli.js");
  await bundleFile(root, cli);
  for (const path of BUNDLED) await Deno.remove(join(folder, path), { recursive: true });
  await Deno.writeTextFile(cli, SHEBANG + await Deno.readTextFile(cli));
  await Deno.chmod(cli, 0o755);
  const manifest = publishedManifest(JSON.parse(await Deno.readTextFile(join(root, "package.json"))) as Manifest);
  await Deno.writeTextFile(join(folder, "package.json"), JSON.stringify(manifest, null, 2) + "\n");
  const { stdout } = await runTool(["npm", "pack", "--json", "--ignore-scripts", "--pack-destination", target], folder);
  const [tarball] = JSON.parse(stdout) as [{ filename: string }];
  return join(target, tarball.filename);
}

/** The manifest that users get: the same, but it names the emitted files and leaves the development parts out. */
export function publishedManifest(manifest: Manifest): Manifest {
  const { devDependencies: _, private: __, ...kept } = manifest;
  const exports: Record<string, unknown> = {};
  for (const [name, path] of Object.entries(manifest.exports)) {
    exports[name] = path.endsWith(".ts")
      ? { types: path.replace(/\.ts$/, ".d.ts"), default: path.replace(/\.ts$/, ".js") }
      : path;
  }
  return { ...kept, bin: { nodepass: "./cli.js" }, exports } as unknown as Manifest;
}

/** Sources that no entry point reaches are packed as they are; Node cannot load them from there. */
async function removeSources(folder: string): Promise<void> {
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) await removeSources(path);
    else if (/(?<!\.d)\.ts$/.test(entry.name)) await Deno.remove(path);
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
