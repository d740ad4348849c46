/**
 * Signals: one line each on the control connection, base64 of JSON that is XOR-ed with the key. That hides nothing from
 * anybody who tries.
 *
 * @module
 */
import { formatIp, parseIp } from "../../address/ip.ts";
import { NodePassError } from "../../errors.ts";
import type { SocketAddress } from "../../runtime/types.ts";
import { parseId } from "./link_id.ts";

/** Everything that the two ends tell each other. */
export type Signal =
  /** Asks for a `pong`, answers a `ping`, drops all links that wait. */
  | { readonly action: "ping" | "pong" | "flush" }
  /** A visitor is on link `id`. */
  | { readonly action: "tcp" | "udp"; readonly remote: string; readonly id: string }
  /** Link `id` is taken for a look at the certificate that it shows. */
  | { readonly action: "verify"; readonly id: string; readonly fp: string };

/** A longer line ends the connection. */
export const MAX_LINE_BYTES: number = 8 * 1024;
const MAX_TEXT_LENGTH = 256;
const NEWLINE = 10;
const RETURN = 13;

/** The line of a signal, with its end. */
export function encodeSignal(signal: Signal, key: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(JSON.stringify(members(signal)));
  mask(bytes, key);
  return new TextEncoder().encode(`${btoa(String.fromCharCode(...bytes))}\n`);
}

/** Turns bytes, however they are cut, into signals. */
export class SignalReader {
  readonly #key: Uint8Array;
  readonly #onSkipped: (reason: string) => void;
  /** The start of a line whose end has not arrived. */
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  /** @param onSkipped told about each line that means nothing */
  constructor(key: Uint8Array, onSkipped: (reason: string) => void) {
    this.#key = key;
    this.#onSkipped = onSkipped;
  }

  /**
   * The signals that `bytes` complete, in order.
   *
   * @throws {NodePassError} `protocol` for a line that is too long
   */
  push(bytes: Uint8Array): Signal[] {
    const signals: Signal[] = [];
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      const line = this.#join(bytes.subarray(start, end));
      this.#rest = new Uint8Array(0);
      start = end + 1;
      const signal = this.#decode(line);
      if (typeof signal === "string") this.#onSkipped(signal);
      else signals.push(signal);
    }
    if (start < bytes.length) this.#rest = this.#join(bytes.subarray(start));
    return signals;
  }

  #join(part: Uint8Array): Uint8Array<ArrayBuffer> {
    if (this.#rest.length + part.length > MAX_LINE_BYTES) {
      throw new NodePassError("protocol", `Peer sent a signal line of more than ${MAX_LINE_BYTES} bytes`);
    }
    const line = new Uint8Array(this.#rest.length + part.length);
    line.set(this.#rest);
    line.set(part, this.#rest.length);
    return line;
  }

  /** The signal of a line, or why there is none. */
  #decode(line: Uint8Array<ArrayBuffer>): Signal | string {
    let value: unknown;
    try {
      const end = line.at(-1) === RETURN ? line.length - 1 : line.length;
      const text = atob(String.fromCharCode(...line.subarray(0, end)));
      const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
      mask(bytes, this.#key);
      value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch {
      return "a line that is no signal under this key";
    }
    return typeof value === "object" && value !== null
      ? signalOf(value as Readonly<Record<string, unknown>>)
      : "a signal that is no JSON object";
  }
}

/** The address of a visitor in text; null when it is none. */
export function parseRemote(text: string): SocketAddress | null {
  const match = text.length > MAX_TEXT_LENGTH ? null : /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) return null;
  const bytes = parseIp(host);
  return bytes === null ? null : { host: formatIp(bytes), port };
}

/** Go's order; members without a value are left out there, and a signal here has none. */
function members(signal: Signal): Record<string, string> {
  switch (signal.action) {
    case "tcp":
    case "udp":
      return { action: signal.action, remote: signal.remote, id: signal.id };
    case "verify":
      return { action: signal.action, id: signal.id, fp: signal.fp };
    default:
      return { action: signal.action };
  }
}

function signalOf(value: Readonly<Record<string, unknown>>): Signal | string {
  const { action } = value;
  switch (action) {
    case "ping":
    case "pong":
    case "flush":
      return { action };
    case "tcp":
    case "udp": {
      const id = idOf(value);
      const { remote } = value;
      if (id === null) return `a ${action} signal without a link id`;
      if (typeof remote !== "string" || parseRemote(remote) === null) return `a ${action} signal without an address`;
      return { action, remote, id };
    }
    case "verify": {
      const id = idOf(value);
      const { fp } = value;
      if (id === null) return "a verify signal without a link id";
      if (typeof fp !== "string" || fp.length > MAX_TEXT_LENGTH) return "a verify signal without a fingerprint";
      return { action, id, fp };
    }
    default:
      return typeof action === "string" ? `an unknown action "${action.slice(0, 32)}"` : "a signal without an action";
  }
}

function idOf({ id }: Readonly<Record<string, unknown>>): string | null {
  return typeof id === "string" && parseId(id) !== null ? id.toLowerCase() : null;
}

function mask(bytes: Uint8Array, key: Uint8Array): void {
  if (key.length === 0) return;
  for (let at = 0; at < bytes.length; at++) bytes[at]! ^= key[at % key.length]!;
}
