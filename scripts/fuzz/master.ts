/**
 * The master under test: with a state of its own, and without the many instances that a run leaves behind.
 *
 * @module
 */
import { createLogger } from "../../src/log/logger.ts";
import { startMaster } from "../../src/start/master.ts";
import type { Fuzzed } from "./fuzzed.ts";

/** How long an instance is left alone: requests that follow each other may want it. */
const KEPT_MS = 15_000;
const LOOK_MS = 1_000;

/** Starts it. */
export async function startFuzzedMaster(): Promise<Fuzzed> {
  const stateDir = await Deno.makeTempDir({ prefix: "nodepass-fuzz-" });
  const failures: string[] = [];
  const logger = createLogger({
    level: "error",
    format: "text",
    color: false,
    write: (line) => {
      if (line.includes("A request failed")) failures.push(line);
    },
    wall: () => Date.now(),
  });
  const master = await startMaster("master://127.0.0.1:0", { stateDir, logger });
  const key = master.key.reveal();
  const headers = { "X-API-Key": key };
  const seen = new Map<string, number>();
  const prune = async (): Promise<void> => {
    const list: { id: string }[] = await (await fetch(`${master.apiUrl}/instances`, { headers })).json();
    for (const { id } of list) {
      const since = seen.get(id) ?? Date.now();
      seen.set(id, since);
      if (id === "********" || Date.now() - since < KEPT_MS) continue;
      seen.delete(id);
      const gone = await fetch(`${master.apiUrl}/instances/${id}`, { method: "DELETE", headers });
      await gone.body?.cancel();
    }
  };
  let pruning: Promise<void> = Promise.resolve();
  const timer = setInterval(() => pruning = pruning.then(prune).catch(() => {}), LOOK_MS);
  const dispose = async (): Promise<void> => {
    clearInterval(timer);
    await pruning;
    await master.close({ graceMs: 0 });
    await Deno.remove(stateDir, { recursive: true });
  };
  const stillIn = async (): Promise<boolean> => {
    const last = await fetch(`${master.apiUrl}/instances`, { headers });
    await last.body?.cancel();
    return last.status === 200;
  };
  return {
    ...{ port: master.addr.port, base: "/api/v1", headers, config: "schemathesis.toml", hooks: "hooks.py", failures },
    ...{ stillIn, [Symbol.asyncDispose]: dispose },
  };
}
