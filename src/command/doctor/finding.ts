/**
 * What the doctor says.
 *
 * @module
 */

/** What was looked at. */
export type Check =
  | "api"
  | "api key"
  | "clock"
  | "instance"
  | "address"
  | "reachability"
  | "key"
  | "wire"
  | "tls"
  | "mode"
  | "certificate"
  | "handshake"
  | "target"
  | "entry";

/** One fact. */
export interface Finding {
  readonly level: "ok" | "warning" | "error";
  readonly check: Check;
  readonly text: string;
  /** What to do about it; null when all is well. */
  readonly advice: string | null;
}

/** Facts about one thing. */
export interface Section {
  readonly subject: string;
  readonly findings: readonly Finding[];
}

/** All is well with this. */
export function fine(check: Check, text: string): Finding {
  return { level: "ok", check, text, advice: null };
}

/** It works, perhaps not as meant. */
export function doubtful(check: Check, text: string, advice: string): Finding {
  return { level: "warning", check, text, advice };
}

/** It does not work. */
export function broken(check: Check, text: string, advice: string): Finding {
  return { level: "error", check, text, advice };
}
