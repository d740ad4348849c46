/**
 * How the commands that ask a master are told which one, and what they show it.
 *
 * @module
 */
import { Secret } from "../config/secret.ts";
import { messageOf, NodePassError } from "../errors.ts";
import type { Files } from "../runtime/types.ts";
import { type Arguments, type Flag, helpFlag, jsonFlag } from "./flags.ts";

/** A master and the way in. */
export interface ApiTarget {
  /** `http` or `https`, with the prefix and `/v1`, without a slash at its end. */
  readonly base: URL;
  readonly key: Secret;
  /** PEM of a certificate authority to believe besides the usual ones. */
  readonly extraCa: string | null;
  /** False: whoever answers is believed. */
  readonly verify: boolean;
}

const DEFAULT_PREFIX = "/api";

function apiFlags(suffix: "" | "2", which: string): readonly Flag[] {
  return [
    {
      name: `api${suffix}`,
      placeholder: "url",
      meaning: `address of the ${which}, such as http://127.0.0.1:9090/api, or the np:// line of its first start`,
    },
    {
      name: `key${suffix}`,
      placeholder: "key",
      meaning: `API key of the ${which} (arguments show in process lists: see --key-file${suffix})`,
    },
    { name: `key-file${suffix}`, placeholder: "file", meaning: `file with the API key of the ${which}`, file: true },
  ];
}

const trustFlags: readonly Flag[] = [
  {
    name: "ca",
    placeholder: "file",
    meaning: "PEM certificate to believe besides the usual ones, for https",
    file: true,
  },
  { name: "insecure", short: "k", placeholder: null, meaning: "believe whoever answers, as a master with tls=1 needs" },
];

/** Flags of `nodepass status`. */
export const statusFlags: readonly Flag[] = [
  ...apiFlags("", "master"),
  ...trustFlags,
  { name: "watch", short: "w", placeholder: null, meaning: "stay, and show what changes" },
  { name: "now", placeholder: null, meaning: "answer at once, without rates" },
  jsonFlag,
  helpFlag,
];

/** Flags of `nodepass doctor`. */
export const doctorFlags: readonly Flag[] = [
  ...apiFlags("", "master"),
  ...apiFlags("2", "master of the other end"),
  ...trustFlags,
  jsonFlag,
  helpFlag,
];

/**
 * The master that the flags name; null when they name none and `required` is false.
 *
 * @throws {NodePassError} code `usage`
 */
export async function apiTarget(
  given: Arguments,
  suffix: "" | "2",
  required: boolean,
  files: Pick<Files, "readText">,
): Promise<ApiTarget | null> {
  const last = (name: string): string | undefined => given.flags.get(name)?.at(-1);
  const address = last(`api${suffix}`);
  if (address === undefined) {
    if (!required && last(`key${suffix}`) === undefined && last(`key-file${suffix}`) === undefined) return null;
    throw new NodePassError("usage", `Flag --api${suffix} is missing: expected the address of a master`);
  }
  const [url, keyInUrl] = address.startsWith("np://") ? readNpLine(address, suffix) : [address, null];
  const key = await readKey(last(`key${suffix}`) ?? keyInUrl, last(`key-file${suffix}`), suffix, files);
  const ca = last("ca");
  return {
    base: baseOf(url, suffix),
    key: new Secret(key),
    extraCa: ca === undefined ? null : await readFile(ca, "--ca", files),
    verify: !given.flags.has("insecure"),
  };
}

/** `np://master?url=<base64>&key=<base64>`: what a master prints at its first start. */
function readNpLine(line: string, suffix: string): [url: string, key: string] {
  try {
    const query = new URLSearchParams(line.slice(line.indexOf("?") + 1));
    const decode = (name: string): string => {
      const text = query.get(name) ?? "";
      // "+" of base64 reads as a space in a query.
      return atob(text.replaceAll(" ", "+"));
    };
    const [url, key] = [decode("url"), decode("key")];
    if (url !== "" && key !== "") return [url, key];
  } catch {
    // Worded below: the line holds a key and is not repeated.
  }
  throw new NodePassError(
    "usage",
    `Flag --api${suffix} cannot be read: expected np://master?url=...&key=... in quotes`,
  );
}

function baseOf(text: string, suffix: string): URL {
  const expected = "expected http://host:port[/prefix] or https://host:port[/prefix]";
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (url === null || !["http:", "https:"].includes(url.protocol) || url.username !== "" || url.hostname === "") {
    throw new NodePassError("usage", `Flag --api${suffix} is not an address: ${expected}`);
  }
  const path = url.pathname.replace(/\/+$/, "").replace(/\/v1$/, "");
  return new URL(`${url.origin}${path === "" ? DEFAULT_PREFIX : path}/v1`);
}

async function readKey(
  key: string | null,
  file: string | undefined,
  suffix: string,
  files: Pick<Files, "readText">,
): Promise<string> {
  const text = file === undefined ? key : await readFile(file, `--key-file${suffix}`, files);
  const value = text?.trim() ?? "";
  if (value === "") {
    throw new NodePassError(
      "usage",
      `Flag --key${suffix} is missing: expected the API key that "nodepass state key" prints where the master runs`,
    );
  }
  // What a header cannot carry is no key.
  if (/[^\x21-\x7e]/.test(value)) throw new NodePassError("usage", `API key ${suffix} has spaces or odd characters`);
  return value;
}

async function readFile(path: string, flag: string, files: Pick<Files, "readText">): Promise<string> {
  return await files.readText(path).catch((error: unknown) => {
    throw new NodePassError("usage", `Flag ${flag} is ${JSON.stringify(path)}: ${messageOf(error)}`, { cause: error });
  });
}
