/**
 * The files of the tree that the gate looks at.
 *
 * @module
 */

import { dirname, join } from "node:path/posix";
import { fileURLToPath } from "node:url";

/** The root of the repository. */
export const ROOT: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const PLACES: readonly string[] = ["src", "tests", "examples", "scripts"];

/** Every TypeScript file of the product, its tests, examples and scripts, relative to the root and sorted. */
export function sourceFiles(): string[] {
  const files = ["mod.ts", "cli.ts"].filter(exists);
  for (const place of PLACES) collect(place, files);
  return files.filter((path) => path.endsWith(".ts")).sort();
}

/** Whether a path relative to the root exists. */
export function exists(path: string): boolean {
  try {
    Deno.statSync(join(ROOT, path));
    return true;
  } catch {
    return false;
  }
}

/** The text of a file of the tree. */
export function read(path: string): string {
  return Deno.readTextFileSync(join(ROOT, path));
}

/** Whether a program wrote this file: its first line says so or it lies in a folder for such files. */
export function isGenerated(path: string): boolean {
  return /(^|\/)(gen|generated)\/|_pb\.ts$/.test(path) ||
    /^\/[/*].*\bgenerated\b/i.test(read(path).split("\n", 1)[0] ?? "");
}

/** The test files under a folder of `tests`, and whether each runs on Node too. */
export function testFiles(folder: string): { path: string; both: boolean }[] {
  return sourceFiles()
    .filter((path) => path.startsWith(`tests/${folder}/`) && path.endsWith("_test.ts"))
    .map((path) => ({ path, both: runsOnNode(path) }));
}

/** A test file runs on both runtimes when it registers its tests through the harness, by itself or through a suite. */
function runsOnNode(path: string): boolean {
  const text = read(path);
  if (/\bDeno\.test\b/.test(text)) return false;
  if (/from "[./]+\/harness\.ts"/.test(text)) return true;
  return [...text.matchAll(/from "(\.[^"]+)"/g)].some(([, specifier = ""]) => {
    const imported = join(dirname(path), specifier);
    return imported.startsWith("tests/") && exists(imported) && /from "[./]+\/harness\.ts"/.test(read(imported));
  });
}

function collect(folder: string, files: string[]): void {
  if (!exists(folder)) return;
  for (const entry of Deno.readDirSync(join(ROOT, folder))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory && entry.name !== "node_modules") collect(path, files);
    else if (entry.isFile) files.push(path);
  }
}
