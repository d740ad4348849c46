/**
 * Checks of the tree that no compiler makes: sizes, entry points, versions, dependencies.
 *
 * @module
 */

import { join } from "node:path/posix";
import { runChild } from "./child.ts";
import { exists, isGenerated, read, ROOT, sourceFiles } from "./files.ts";
import { failed, passed, type StepResult } from "./step.ts";

const MOST_LINES = 400;
const MOST_DEPENDENCIES = 20;
/** Scripts that an installation need not run: this one warns the authors of packages about version ranges. */
const IDLE_SCRIPTS: Readonly<Record<string, string>> = { "protobufjs postinstall": "node scripts/postinstall" };
const RE_EXPORT = /^(export (type )?(\{[^}]*\}|\*( as \w+)?) from "[^"]+";\s*)+$/;

interface DenoConfig {
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
}

interface PackageConfig {
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
}

/** No file grows beyond what one can read in one go. */
export function checkSizes(): StepResult {
  const files = sourceFiles();
  const long = files
    .filter((path) => !isGenerated(path))
    .map((path) => ({ path, lines: read(path).trimEnd().split("\n").length }))
    .filter(({ lines }) => lines > MOST_LINES);
  if (files.length === 0) return failed("No source file was found");
  if (long.length === 0) return passed(`${files.length} files`);
  return failed(long.map(({ path, lines }) => `${path}: ${lines} lines, at most ${MOST_LINES}`).join("\n"));
}

/** Every sub-path exists in both manifests, entry points only re-export, and `mod.ts` has all that the sub-paths have. */
export async function checkExports(): Promise<StepResult> {
  const problems: string[] = [];
  const deno = readJson<DenoConfig>("deno.json");
  const node = readJson<PackageConfig>("package.json");
  for (const [name, path] of Object.entries(deno.exports)) {
    if (!exists(path)) problems.push(`deno.json: "${name}" names ${path}, which does not exist`);
    if (name !== "./cli" && node.exports[name] !== path) {
      problems.push(`package.json: "${name}" is ${node.exports[name]}, deno.json has ${path}`);
    }
  }
  for (const name of Object.keys(node.exports)) {
    if (name !== "./package.json" && deno.exports[name] === undefined) problems.push(`deno.json: no "${name}"`);
  }
  if (exists("mod.ts") && !RE_EXPORT.test(withoutComments(read("mod.ts")))) {
    problems.push("mod.ts: only re-exports belong there");
  }
  const all = new Set(await exportedNames("./mod.ts"));
  if (all.size === 0) problems.push("mod.ts: exports nothing");
  for (const [name, path] of Object.entries(deno.exports)) {
    if (name === "." || name === "./cli" || !exists(path)) continue;
    for (const symbol of await exportedNames(path)) {
      if (!all.has(symbol)) problems.push(`mod.ts: does not export ${symbol} of "${name}"`);
    }
  }
  return problems.length === 0 ? passed(`${all.size} symbols`) : failed(problems.join("\n"));
}

/** Every source file is reached from an entry point: what nothing imports is not part of the product. */
export async function checkReached(): Promise<StepResult> {
  const { exports } = readJson<DenoConfig>("deno.json");
  // The dashboard runs in a browser: it is bundled from its own entry point.
  const entries = [...Object.values(exports), "src/master/dashboard/client/main.ts"].filter(exists);
  const reached = new Set<string>();
  for (const entry of entries) {
    const { stdout } = await runChild([Deno.execPath(), "info", "--json", entry], { limitMs: 60_000, cwd: ROOT });
    for (const { local } of (JSON.parse(stdout) as { modules: { local?: string }[] }).modules) {
      if (local !== undefined) reached.add(local);
    }
  }
  const lost = sourceFiles().filter((path) => path.startsWith("src/") && !reached.has(join(ROOT, path)));
  if (lost.length === 0) return passed(`${reached.size} files`);
  return failed(lost.map((path) => `${path}: no entry point reaches it`).join("\n"));
}

/** One version everywhere. */
export function checkVersions(): StepResult {
  const version = readJson<DenoConfig>("deno.json").version;
  const problems: string[] = [];
  if (readJson<PackageConfig>("package.json").version !== version) problems.push(`package.json: is not ${version}`);
  if (!read("CHANGELOG.md").includes(`## ${version}`)) problems.push(`CHANGELOG.md: has no "## ${version}"`);
  const constant = "src/version.ts";
  if (exists(constant) && !read(constant).includes(`"${version}"`)) problems.push(`${constant}: is not ${version}`);
  return problems.length === 0 ? passed(version) : failed(problems.join("\n"));
}

/** Few dependencies, exact versions, the lock file agrees, nothing runs at installation. */
export function checkDependencies(): StepResult {
  const problems: string[] = [];
  const { dependencies, devDependencies, scripts } = readJson<PackageConfig>("package.json");
  const direct = Object.entries({ ...dependencies, ...devDependencies });
  if (direct.length > MOST_DEPENDENCIES) {
    problems.push(`package.json: ${direct.length} direct dependencies, at most ${MOST_DEPENDENCIES}`);
  }
  const lock = readJson<{ specifiers: Record<string, string>; jsr?: unknown; remote?: unknown }>("deno.lock");
  for (const [name, version] of direct) {
    if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) {
      problems.push(`package.json: ${name} "${version}" is not an exact version`);
    }
    if (lock.specifiers[`npm:${name}@${version}`] === undefined) problems.push(`deno.lock: has no ${name}@${version}`);
  }
  if (lock.jsr !== undefined || lock.remote !== undefined) {
    problems.push("deno.lock: has modules that are not from npm");
  }
  for (const script of ["preinstall", "install", "postinstall", "prepare"]) {
    if (scripts?.[script] !== undefined) problems.push(`package.json: has the script "${script}"`);
  }
  const installed = installedPackages();
  if (installed.length === 0) problems.push("node_modules: nothing is installed");
  for (const path of installed) {
    const { name, scripts } = readJson<{ name: string; scripts?: Record<string, string> }>(path);
    for (const script of ["preinstall", "install", "postinstall"]) {
      const command = scripts?.[script];
      if (command === undefined || command === IDLE_SCRIPTS[`${name} ${script}`]) continue;
      problems.push(`${path}: has the script "${script}"`);
    }
  }
  return problems.length === 0
    ? passed(`${direct.length} direct, ${installed.length} in all`)
    : failed(problems.join("\n"));
}

/** No known hole in a dependency, where the registry answers. */
export async function checkAudit(): Promise<StepResult> {
  const { code, output } = await runChild([Deno.execPath(), "audit"], { limitMs: 60_000, cwd: ROOT });
  return judgeAudit(code, output);
}

/** What an audit found; without an answer of the registry nothing is known, and nothing passed. */
export function judgeAudit(code: number, output: string): StepResult {
  if (code === 0 && /no known vulnerabilit/i.test(output)) return passed();
  if (/\bseverity\b|\d+ vulnerabilit/i.test(output)) return failed(output);
  // No program is missing: a machine whose registry has no audit must still be able to pass everything else.
  return {
    passed: 0,
    failed: 0,
    skipped: 1,
    output: "",
    note: "NOT CHECKED for known holes: the registry did not answer",
  };
}

/** The manifests of all packages that the installation brought, relative to the root. */
function installedPackages(): string[] {
  const store = "node_modules/.deno";
  if (!exists(store)) return [];
  const found: string[] = [];
  for (const entry of Deno.readDirSync(join(ROOT, store))) {
    const inner = `${store}/${entry.name}/node_modules`;
    if (!entry.isDirectory || !exists(inner)) continue;
    const name = entry.name.replace(/@[^@]*$/, "").replace("+", "/");
    const manifest = `${inner}/${name}/package.json`;
    if (exists(manifest)) found.push(manifest);
  }
  return found;
}

async function exportedNames(path: string): Promise<string[]> {
  if (!exists(path)) return [];
  const { stdout } = await runChild([Deno.execPath(), "doc", "--json", path], { limitMs: 60_000, cwd: ROOT });
  const names: string[] = [];
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    const symbols = (value as { symbols?: unknown }).symbols;
    if (Array.isArray(symbols)) {
      for (const symbol of symbols as { name?: string }[]) {
        if (symbol.name !== undefined && symbol.name !== "") names.push(symbol.name);
      }
    } else {
      for (const inner of Object.values(value)) walk(inner);
    }
  };
  walk(JSON.parse(stdout));
  return names;
}

function readJson<T>(path: string): T {
  return JSON.parse(read(path)) as T;
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "").trim();
}
