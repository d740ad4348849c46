/**
 * schemathesis, in an environment of its own below `build/`.
 *
 * @module
 */
import { join } from "node:path/posix";
import { ROOT } from "../gate/files.ts";

/** What became of the search. */
export type Found =
  | { readonly path: string }
  | { readonly missing: string }
  | { readonly unreachable: string };

const VERSION = "4.32.5";
const FOLDER = join(ROOT, "build", "python");

/** The program, installed if need be; or what is missing for it, or what its registry said instead. */
export async function findSchemathesis(): Promise<Found> {
  const path = join(FOLDER, "bin", "schemathesis");
  if ((await run(path, "--version")).output.includes(VERSION)) return { path };
  const made = await run("python3", "-m", "venv", FOLDER);
  if (!made.success) return { missing: `needs Python 3 with venv: ${lastLine(made.output)}` };
  const pip = join(FOLDER, "bin", "pip");
  const installed = await run(pip, "install", "--quiet", "--disable-pip-version-check", `schemathesis==${VERSION}`);
  return installed.success ? { path } : { unreachable: lastLine(installed.output) };
}

async function run(program: string, ...args: string[]): Promise<{ success: boolean; output: string }> {
  try {
    const command = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "piped" });
    const { success, stdout, stderr } = await command.output();
    const decoder = new TextDecoder();
    return { success, output: `${decoder.decode(stdout)}${decoder.decode(stderr)}` };
  } catch (error) {
    return { success: false, output: error instanceof Error ? error.message : String(error) };
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
