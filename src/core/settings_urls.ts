/**
 * URLs of the stores.
 *
 * @module
 */
import type { DatabaseSetting } from "./settings.ts";

/** The database that a URL names; null: not a database. */
export function databaseOf(text: string): DatabaseSetting | null {
  const file = /^sqlite:(?:\/\/(?=\/|\.))?(.+)$/.exec(text)?.[1];
  if (file !== undefined) {
    if (file === ":memory:") return { kind: "sqlite", path: "" };
    return file.includes("\0") || file.includes("?") ? null : { kind: "sqlite", path: file };
  }
  return urlOf(text, ["postgres:", "postgresql:"]) === null ? null : { kind: "postgres", url: text };
}

/** A URL of one of these schemes, or null. */
export function urlOf(text: string, schemes: readonly string[]): URL | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && schemes.includes(url.protocol) ? url : null;
}
