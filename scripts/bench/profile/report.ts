/**
 * Profiles as Markdown.
 *
 * @module
 */
import { round } from "../rows.ts";
import type { FunctionShare } from "./cpu_profile.ts";
import type { CallCounts } from "./syscalls.ts";

/** One end under one load. */
export interface EndProfile {
  readonly role: "Server" | "Client";
  readonly functions: readonly FunctionShare[];
  readonly cpuMicrosPerUnit: number;
  /** Null where there is no strace. */
  readonly calls: { readonly counts: CallCounts; readonly units: number } | null;
}

/** One load on one runtime. */
export interface LoadProfile {
  /** The runtime and the load. */
  readonly title: string;
  readonly unit: string;
  /** The unit in the plural. */
  readonly units: string;
  readonly unitsPerSecond: number;
  readonly ends: readonly EndProfile[];
}

const CALLS_SHOWN = 6;
const LEAST_CALLS_PER_UNIT = 0.01;
const REMARK = "What is left: ";

/** The section of a load; `remark` is what people found in it before. */
export function profileSection(profile: LoadProfile, remark: string | undefined): string {
  const { title, unit, units, unitsPerSecond, ends } = profile;
  const costs = ends.map((end) => `${end.role.toLowerCase()} ${round(end.cpuMicrosPerUnit)} µs`).join(", ");
  const lines = [
    `## ${title}`,
    "",
    `${round(unitsPerSecond)} ${units} per second; processor time per ${unit}: ${costs}.`,
    "",
  ];
  const rows = Math.max(...ends.map((end) => end.functions.length));
  lines.push(`| ${ends.map((end) => `${end.role} | Share`).join(" | ")} |`, `|${"---|---|".repeat(ends.length)}`);
  for (let row = 0; row < rows; row++) {
    lines.push(`| ${ends.map((end) => functionCells(end.functions[row])).join(" | ")} |`);
  }
  lines.push("");
  for (const end of ends) {
    if (end.calls !== null) lines.push(`${end.role}, system calls per ${unit}: ${callText(end.calls)}.`, "");
  }
  if (remark !== undefined) lines.push(REMARK + remark, "");
  return lines.join("\n");
}

/** What people wrote below each section, by title. */
export function readRemarks(text: string): Map<string, string> {
  const remarks = new Map<string, string>();
  for (const section of text.split(/^## /m).slice(1)) {
    const at = section.indexOf(`\n${REMARK}`);
    if (at < 0) continue;
    const title = section.slice(0, section.indexOf("\n")).trim();
    remarks.set(title, section.slice(at + 1 + REMARK.length).trim().replace(/\s*\n\s*/g, " "));
  }
  return remarks;
}

function functionCells(entry: FunctionShare | undefined): string {
  if (entry === undefined) return " | ";
  const place = entry.place === "" ? "" : ` ${entry.place.replace(/^.*\/(?=[^/]+$)/, "")}`;
  return `${entry.name.replaceAll("|", "\\|")}${place} | ${(entry.share * 100).toFixed(1)} %`;
}

function callText({ counts, units }: { readonly counts: CallCounts; readonly units: number }): string {
  return counts.map(({ name, calls }) => ({ name, perUnit: calls / units }))
    .filter(({ perUnit }) => perUnit >= LEAST_CALLS_PER_UNIT)
    .slice(0, CALLS_SHOWN)
    .map(({ name, perUnit }) => `${name} ${round(perUnit)}`).join(", ");
}
