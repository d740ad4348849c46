/**
 * The file of `nodepass run`: a list of tunnel URLs in JSON or TOML.
 *
 * @module
 */
import { parse as parseToml, TomlError } from "smol-toml";
import { messageOf, NodePassError } from "../errors.ts";
import { quote } from "./parameter_reader.ts";
import { settingVariables } from "./settings.ts";
import { suggest } from "./suggest.ts";

/** One tunnel of a run file. */
export interface RunEntry {
  readonly url: string;
  /** Shown in logs; null when the file gives none. */
  readonly name: string | null;
}

/** A run file. */
export interface RunFile {
  readonly tunnels: readonly RunEntry[];
  /** `NP_*` values for variables that the environment does not set. */
  readonly environment: ReadonlyMap<string, string>;
}

/**
 * Reads the text of a run file: a list of URLs, or `tunnels` (URLs, or objects with `url` and `name`) and
 * `environment` (`NP_*` variables). Whether the URLs are acceptable is not decided here.
 *
 * @param text content of the file
 * @param path its name: TOML when it ends in `.toml`, else JSON
 * @throws {NodePassError} code `usage`: everything that is not acceptable, one finding per line
 */
export function parseRunFile(text: string, path: string): RunFile {
  const data = path.toLowerCase().endsWith(".toml") ? readToml(text, path) : readJson(text, path);
  const findings: string[] = [];
  const root = Array.isArray(data) ? { tunnels: data } : data;
  if (!isTable(root)) throw usage(path, ["expected a list of URLs, or a table with tunnels"]);
  checkKeys(root, ["tunnels", "environment"], "the file", findings);
  const tunnels = readTunnels(root.tunnels, findings);
  const environment = readEnvironment(root.environment, findings);
  if (findings.length > 0) throw usage(path, findings);
  return { tunnels, environment };
}

function usage(path: string, findings: readonly string[]): NodePassError {
  return new NodePassError("usage", findings.map((finding) => `Cannot use run file ${path}: ${finding}`).join("\n"));
}

/** Parser messages quote the text around the error, which may be a key: only the place is passed on. */
function readToml(text: string, path: string): unknown {
  try {
    return parseToml(text);
  } catch (error) {
    const place = error instanceof TomlError ? `, see line ${error.line}, column ${error.column}` : "";
    throw usage(path, [`it is not valid TOML${place}`]);
  }
}

function readJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const position = /position (\d+)/.exec(messageOf(error))?.[1];
    const lines = position === undefined ? null : text.slice(0, Number(position)).split("\n");
    const place = lines === null ? "" : `, see line ${lines.length}, column ${(lines.at(-1) ?? "").length + 1}`;
    throw usage(path, [`it is not valid JSON${place}`]);
  }
}

function readTunnels(value: unknown, findings: string[]): RunEntry[] {
  if (!Array.isArray(value) || value.length === 0) {
    findings.push("tunnels is missing or empty: expected a list of URLs");
    return [];
  }
  const tunnels = value.map((entry, index) => readTunnel(entry, `tunnel ${index + 1}`, findings));
  const seen = new Set<string>();
  for (const entry of tunnels) {
    const name = entry?.name ?? null;
    if (name !== null && seen.has(name)) findings.push(`name ${quote(name)} is given to more than one tunnel`);
    if (name !== null) seen.add(name);
  }
  return tunnels.filter((entry) => entry !== null);
}

function readTunnel(entry: unknown, where: string, findings: string[]): RunEntry | null {
  if (typeof entry === "string") return { url: entry, name: null };
  if (!isTable(entry)) {
    findings.push(`${where} is neither a URL nor a table: expected "server://..." or { url = "server://..." }`);
    return null;
  }
  checkKeys(entry, ["url", "name"], where, findings);
  const { url, name } = entry;
  const nameIsGood = name === undefined || typeof name === "string" && name !== "";
  if (!nameIsGood) findings.push(`${where} has a name that is no text: expected a few words`);
  if (typeof url === "string") return { url, name: typeof name === "string" && nameIsGood ? name : null };
  findings.push(`${where} has no url: expected "server://..." or "client://..."`);
  return null;
}

function readEnvironment(value: unknown, findings: string[]): Map<string, string> {
  const environment = new Map<string, string>();
  if (value === undefined) return environment;
  if (!isTable(value)) {
    findings.push("environment is no table: expected NP_* variables and their values");
    return environment;
  }
  checkKeys(value, settingVariables.map((variable) => variable.name), "environment", findings);
  for (const [name, entry] of Object.entries(value)) {
    if (typeof entry === "string" || typeof entry === "number") environment.set(name, String(entry));
    else findings.push(`environment has ${name} that is neither text nor number`);
  }
  return environment;
}

function checkKeys(table: Record<string, unknown>, known: readonly string[], where: string, findings: string[]): void {
  for (const key of Object.keys(table)) {
    if (known.includes(key)) continue;
    const close = suggest(key, known);
    const hint = close === null ? `expected ${known.join(", ")}` : `did you mean "${close}"?`;
    findings.push(`${where} has the unknown key ${quote(key)}: ${hint}`);
  }
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
