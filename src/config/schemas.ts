/**
 * Parameter text to typed value, one schema each.
 *
 * @module
 */
import * as v from "valibot";
import { type Cidr, parseCidr } from "../address/cidr.ts";
import { isIp, isUnspecified, normalizeIp } from "../address/ip.ts";
import type { LogLevel } from "../log/types.ts";
import { parseDuration } from "./duration.ts";
import { isName } from "./host_port.ts";
import type { BlockedProtocols } from "./types.ts";

/** Text in, `T` out. */
export type TextSchema<T> = v.GenericSchema<string, T>;

/** A schema of a function that answers null for what it does not accept. */
function parsed<T>(parse: (text: string) => T | null): TextSchema<T> {
  return v.pipe(
    v.string(),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const value = parse(dataset.value);
      if (value !== null) return value;
      addIssue();
      return NEVER;
    }),
  );
}

function integerFrom(min: number): TextSchema<number> {
  return v.pipe(
    v.string(),
    v.regex(/^\d{1,10}$/),
    v.transform(Number),
    v.minValue(min),
    v.maxValue(2 ** 31 - 1),
  );
}

/** Codes and the names that stand for them inside. */
function coded<T>(names: Readonly<Record<string, T>>): TextSchema<T> {
  return parsed((text) => Object.hasOwn(names, text) ? names[text] ?? null : null);
}

const flag: TextSchema<boolean> = v.pipe(v.picklist(["0", "1"]), v.transform((text) => text === "1"));

const ranges: TextSchema<readonly Cidr[]> = parsed((text) => {
  const entries = text.split(",").map((entry) => entry.trim()).filter((entry) => entry !== "");
  const cidrs = entries.map(parseCidr).filter((cidr) => cidr !== null);
  return cidrs.length > 0 && cidrs.length === entries.length ? Object.freeze(cidrs) : null;
});

const duration: TextSchema<number> = parsed(parseDuration);

const anyText: TextSchema<string> = v.pipe(v.string(), v.check((text) => !hasControlCharacter(text)));

function hasControlCharacter(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

function blocked(text: string): BlockedProtocols | null {
  if (text !== "0" && !/^[123]{1,3}$/.test(text)) return null;
  return Object.freeze({ socks: text.includes("1"), http: text.includes("2"), tls: text.includes("3") });
}

/** A zone id stays: a link-local source address means nothing without it. */
function sourceAddress(text: string): string | null {
  if (text === "auto" || isIp(text) && text.includes("%")) return text;
  return isIp(text) && !isUnspecified(text) ? normalizeIp(text) : null;
}

/** `trace` is what other programs call `debug`. */
const logLevel: TextSchema<LogLevel> = coded<LogLevel>({
  none: "none",
  trace: "debug",
  debug: "debug",
  info: "info",
  warn: "warn",
  error: "error",
  event: "event",
});

/** What each parameter's text turns into. */
export interface ParameterValues {
  readonly log: LogLevel;
  readonly tls: "plain" | "derived" | "files";
  readonly crt: string;
  readonly key: string;
  readonly sni: string;
  readonly wire: "secure" | "1.14";
  readonly mode: 0 | 1 | 2;
  readonly type: "tcp" | "websocket";
  readonly path: string;
  readonly min: number;
  readonly max: number;
  readonly clients: number;
  readonly trusted: readonly Cidr[];
  readonly read: number;
  readonly rate: number;
  readonly slot: number;
  readonly proxy: "none" | "v1" | "v2";
  readonly block: BlockedProtocols;
  readonly notcp: boolean;
  readonly noudp: boolean;
  readonly dial: string;
  readonly dns: number;
  readonly lbs: "round_robin" | "least_connections" | "source_hash";
  readonly allow: readonly Cidr[];
  readonly deny: readonly Cidr[];
  readonly isolation: "shared" | "process";
}

/** The schema of every parameter. */
export const parameterSchemas: { readonly [Name in keyof ParameterValues]: TextSchema<ParameterValues[Name]> } = {
  log: logLevel,
  tls: coded<ParameterValues["tls"]>({ 0: "plain", 1: "derived", 2: "files" }),
  crt: anyText,
  key: anyText,
  sni: parsed((text) => isIp(text) ? normalizeIp(text) : isName(text) ? text : null),
  wire: v.picklist(["secure", "1.14"]),
  mode: coded<ParameterValues["mode"]>({ 0: 0, 1: 1, 2: 2 }),
  type: coded<ParameterValues["type"]>({ 0: "tcp", 2: "websocket" }),
  path: v.pipe(v.string(), v.regex(/^\/[\x21\x22\x24-\x3e\x40-\x7e]*$/)),
  min: integerFrom(1),
  max: integerFrom(1),
  clients: integerFrom(1),
  trusted: ranges,
  read: duration,
  rate: integerFrom(0),
  slot: integerFrom(0),
  proxy: coded<ParameterValues["proxy"]>({ 0: "none", 1: "v1", 2: "v2" }),
  block: parsed(blocked),
  notcp: flag,
  noudp: flag,
  dial: parsed(sourceAddress),
  dns: duration,
  lbs: coded<ParameterValues["lbs"]>({ 0: "round_robin", 1: "least_connections", 2: "source_hash" }),
  allow: ranges,
  deny: ranges,
  isolation: v.picklist(["shared", "process"]),
};
