/**
 * The one place that decides which adapter runs.
 *
 * @module
 */
import type { Runtime } from "./types.ts";

/** The adapter of the runtime that executes this; the other one is not even loaded. */
export async function detectRuntime(): Promise<Runtime> {
  return "Deno" in globalThis
    ? (await import("./deno/runtime.ts")).denoRuntime
    : (await import("./node/runtime.ts")).nodeRuntime;
}
