/**
 * What both ends tell each other once, as the JSON of the CONFIG frame.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import { MAX_CONFIG_BYTES } from "./frames.ts";

/** From the server. */
export interface ServerConfigMessage {
  /** `reverse`: visitors come to the server. */
  readonly flow: "reverse" | "forward";
  /** Upper bound of ready links of this client. */
  readonly maxLinks: number;
  readonly tcp: boolean;
  readonly udp: boolean;
  /** The sender's sockets delay small writes: answer small frames at once. */
  readonly delaysSmallWrites: boolean;
  readonly reportIntervalMs: number;
  /** Of the program, for the log. */
  readonly version: string;
}

/** From the client. */
export interface ClientConfigMessage {
  /** Links that the client keeps ready. */
  readonly minLinks: number;
  readonly delaysSmallWrites: boolean;
  readonly version: string;
}

type Members = Readonly<Record<string, unknown>>;

const MAX_LINKS = 65_536;
const MAX_INTERVAL_MS = 3_600_000;
const MAX_VERSION_CHARACTERS = 64;

/** JSON of either message, at most {@linkcode MAX_CONFIG_BYTES}. */
export function encodeConfigMessage(message: ServerConfigMessage | ClientConfigMessage): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(message));
}

/**
 * The server's message; members that this version does not know are ignored.
 *
 * @throws {NodePassError} `protocol`, naming the member
 */
export function parseServerConfigMessage(json: Uint8Array): ServerConfigMessage {
  const members = parseMembers(json);
  const { flow } = members;
  if (flow !== "reverse" && flow !== "forward") throw badMember("flow", flow);
  return {
    flow,
    maxLinks: integer(members, "maxLinks", 1, MAX_LINKS),
    tcp: boolean(members, "tcp"),
    udp: boolean(members, "udp"),
    delaysSmallWrites: boolean(members, "delaysSmallWrites"),
    reportIntervalMs: integer(members, "reportIntervalMs", 1, MAX_INTERVAL_MS),
    version: version(members),
  };
}

/**
 * The client's message; members that this version does not know are ignored.
 *
 * @throws {NodePassError} `protocol`, naming the member
 */
export function parseClientConfigMessage(json: Uint8Array): ClientConfigMessage {
  const members = parseMembers(json);
  return {
    minLinks: integer(members, "minLinks", 1, MAX_LINKS),
    delaysSmallWrites: boolean(members, "delaysSmallWrites"),
    version: version(members),
  };
}

function parseMembers(json: Uint8Array): Members {
  if (json.length > MAX_CONFIG_BYTES) {
    throw new NodePassError(
      "protocol",
      `Peer sent a configuration of ${json.length} bytes: expected at most ${MAX_CONFIG_BYTES}`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json));
  } catch (cause) {
    throw new NodePassError("protocol", "Peer sent a configuration that is not JSON", { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new NodePassError("protocol", "Peer sent a configuration that is not a JSON object");
  }
  return value as Members;
}

function integer(members: Members, name: string, least: number, most: number): number {
  const value = members[name];
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
    throw badMember(name, value);
  }
  return value;
}

function boolean(members: Members, name: string): boolean {
  const value = members[name];
  if (typeof value !== "boolean") throw badMember(name, value);
  return value;
}

function version(members: Members): string {
  const value = members["version"];
  if (typeof value !== "string" || value.length > MAX_VERSION_CHARACTERS) throw badMember("version", value);
  return value;
}

function badMember(name: string, value: unknown): NodePassError {
  const shown = value === undefined
    ? "missing"
    : (JSON.stringify(value) ?? typeof value).slice(0, MAX_VERSION_CHARACTERS);
  return new NodePassError(
    "protocol",
    `Peer sent a configuration with a bad "${name}" (${shown}): update the older end`,
  );
}
