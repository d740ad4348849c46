/**
 * The machine, in the words that other masters use.
 *
 * @module
 */
// No web API names the operating system and the processor.
import { arch, platform } from "node:os";
import type { Files } from "../runtime/types.ts";

/** What does not change while a master runs. */
export interface Machine {
  readonly os: string;
  readonly arch: string;
  /** Its host name; "" where nobody says. */
  readonly name: string;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };
const SYSTEMS: Readonly<Record<string, string>> = { win32: "windows" };
/** Read here, because asking the system for it takes a permission of its own. */
const HOST_NAME = "/proc/sys/kernel/hostname";

/** This machine. */
export async function machine({ readText }: Pick<Files, "readText">): Promise<Machine> {
  const name = await readText(HOST_NAME).catch(() => "");
  return { os: SYSTEMS[platform()] ?? platform(), arch: ARCHITECTURES[arch()] ?? arch(), name: name.trim() };
}
