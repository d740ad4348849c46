/**
 * Files of `docs/benchmarks`, in the form that the gate asks for.
 *
 * @module
 */
import type { Workplace } from "./bench.ts";

/** Where the results are kept. */
export function resultPath(place: Workplace, name: string): string {
  return `${place.root}/docs/benchmarks/${name}`;
}

/** Writes a result and formats it. */
export async function writeResult(place: Workplace, name: string, text: string): Promise<void> {
  const path = resultPath(place, name);
  await Deno.writeTextFile(path, text);
  const config = `${place.root}/deno.json`;
  await place.processes.run([Deno.execPath(), "fmt", "--quiet", "--config", config, path], 20_000);
}

/** The text of a stored result; null when there is none. */
export async function readResult(place: Workplace, name: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(resultPath(place, name));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
