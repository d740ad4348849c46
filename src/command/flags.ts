/**
 * Flags and positional arguments.
 *
 * @module
 */
// Neither runtime has a web API that takes a command line apart.
import { parseArgs } from "node:util";
import { suggest } from "../config/suggest.ts";
import { NodePassError } from "../errors.ts";

/** One flag of a command. */
export interface Flag {
  /** Without the dashes. */
  readonly name: string;
  readonly short?: string;
  /** Null: the flag takes no value. */
  readonly placeholder: string | null;
  readonly meaning: string;
  /** The values there are, when they can be listed. */
  readonly values?: readonly string[];
  /** Completes with file names. */
  readonly file?: boolean;
}

/** A command line that was taken apart. */
export interface Arguments {
  readonly positionals: readonly string[];
  /** Values of flags in order; a flag without a value holds "". */
  readonly flags: ReadonlyMap<string, readonly string[]>;
}

/** Every command takes it. */
export const helpFlag: Flag = { name: "help", short: "h", placeholder: null, meaning: "show help" };
/** Reading commands take it. */
export const jsonFlag: Flag = { name: "json", placeholder: null, meaning: "answer in JSON" };

/**
 * Takes arguments apart by the flags that a command has.
 *
 * @throws {NodePassError} code `usage`: every flag that does not exist or lacks its value, one per line
 */
export function readArguments(args: readonly string[], command: string, flags: readonly Flag[]): Arguments {
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(flags.map(optionOf)),
  });
  const positionals: string[] = [];
  const found = new Map<string, string[]>();
  const findings: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const flag = flags.find(({ name }) => name === token.name);
    const finding = flag === undefined
      ? unknownFlag(token.rawName, command, flags)
      : misused(flag, token.value, token.inlineValue === true);
    if (finding !== null) findings.push(finding);
    else found.set(token.name, [...(found.get(token.name) ?? []), token.value ?? ""]);
  }
  if (findings.length > 0) throw new NodePassError("usage", findings.join("\n"));
  return { positionals, flags: found };
}

function optionOf({ name, short, placeholder }: Flag): [string, { type: "string" | "boolean"; short?: string }] {
  const type = placeholder === null ? "boolean" : "string";
  return [name, short === undefined ? { type } : { type, short }];
}

function misused(flag: Flag, value: string | undefined, inline: boolean): string | null {
  if (flag.placeholder === null) return inline ? `Flag --${flag.name} takes no value` : null;
  // "--tls --mode 1" is a forgotten value; "--tls=--x" says what it means.
  if (value === undefined || value === "" || !inline && value.startsWith("--")) {
    return `Flag --${flag.name} has no value: expected --${flag.name} ${flag.placeholder}`;
  }
  return null;
}

function unknownFlag(rawName: string, command: string, flags: readonly Flag[]): string {
  const close = suggest(rawName.replace(/^-+/, ""), flags.map(({ name }) => name));
  const hint = close === null ? `see "nodepass help ${command}"` : `did you mean --${close}?`;
  return `Flag ${rawName} does not exist here: ${hint}`;
}

/**
 * The one positional argument of a command.
 *
 * @throws {NodePassError} code `usage`
 */
export function onlyPositional({ positionals }: Arguments, what: string, usage: string): string {
  const [first] = positionals;
  if (first !== undefined && positionals.length === 1) return first;
  const count = positionals.length === 0 ? "is missing" : `is expected once, not ${positionals.length} times`;
  throw new NodePassError("usage", `Argument ${what} ${count}: expected ${usage}`);
}

/**
 * Refuses positional arguments.
 *
 * @throws {NodePassError} code `usage`
 */
export function noPositionals({ positionals }: Arguments, usage: string): void {
  if (positionals.length > 0) throw new NodePassError("usage", `Too many arguments: expected ${usage}`);
}
