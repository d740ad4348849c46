/**
 * The machine, in the words that other masters use.
 *
 * @module
 */
// No web API names the operating system, the processor and the host.
import { arch, hostname, platform } from "node:os";

/** What does not change while a master runs. */
export interface Machine {
  readonly os: string;
  readonly arch: string;
  /** Its host name; "" where the permission to ask is missing. */
  readonly name: string;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };
const SYSTEMS: Readonly<Record<string, string>> = { win32: "windows" };

let known: Machine | null = null;

/** This machine. */
export function machine(): Machine {
  return known ??= Object.freeze({
    os: SYSTEMS[platform()] ?? platform(),
    arch: ARCHITECTURES[arch()] ?? arch(),
    name: hostName(),
  });
}

function hostName(): string {
  try {
    return hostname();
  } catch {
    return "";
  }
}
