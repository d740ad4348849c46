/**
 * The rows as a Markdown table.
 *
 * @module
 */
import type { Row } from "./rows.ts";

/** The rows as a Markdown table. */
export function markdownTable(rows: readonly Row[]): string {
  const lines = ["| Id | Result | Value | HAProxy | Ratio | Bare loop | Demand |", "|---|---|---|---|---|---|---|"];
  for (const { id, pass, measured, demand } of rows) {
    const result = pass ? "ok" : pass === false ? "MISSED" : measured["value"] === undefined ? "skipped" : "not judged";
    const value = measured["value"] === undefined
      ? String(measured["skipped"] ?? measured["error"] ?? "").split("\n")[0]!.slice(0, 100)
      : `${measured["value"]} ${measured["unit"]} ${range(measured["spread"])}`;
    const haproxy = measured["haproxy"] === undefined
      ? ""
      : `${measured["haproxy"]} ${range(measured["haproxySpread"])}`;
    const figures = [value.trim(), haproxy.trim(), measured["ratio"] ?? "", measured["bareLoop"] ?? ""];
    lines.push(`| ${[id, result, ...figures, demand].join(" | ")} |`);
  }
  return lines.join("\n");
}

function range(value: unknown): string {
  return Array.isArray(value) ? `(${value[0]} - ${value[1]})` : "";
}
