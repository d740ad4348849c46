/**
 * The one place that decides which adapter runs.
 *
 * @module
 */
import { denoRuntime } from "./deno/runtime.ts";
import { nodeRuntime } from "./node/runtime.ts";
import type { Runtime } from "./types.ts";

/** The adapter of the runtime that executes this. */
export function detectRuntime(): Runtime {
  return "Deno" in globalThis ? denoRuntime : nodeRuntime;
}
