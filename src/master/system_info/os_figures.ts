/**
 * What the runtime itself tells of the machine: where `/proc` is closed, as it is to Deno programs without all
 * permissions, and on systems without one.
 *
 * @module
 */
// No web API knows how busy the machine is, or its memory.
import { cpus, freemem, totalmem, uptime } from "node:os";
import type { CpuTicks, Memory } from "./proc.ts";

/** Ticks of all processors; null when nobody may know them. */
export function osCpu(): CpuTicks | null {
  let [total, idle] = [0, 0];
  for (const { times } of asked(cpus, [])) {
    total += times.user + times.nice + times.sys + times.idle + times.irq;
    idle += times.idle;
  }
  return total > 0 ? { total, idle } : null;
}

/** Memory without swap, which it says nothing about. */
export function osMemory(): Memory {
  const total = asked(totalmem, 0);
  const free = Math.min(total, asked(freemem, 0));
  return { mem_total: total, mem_used: total - free, mem_free: free, swap_total: 0, swap_used: 0, swap_free: 0 };
}

/** Whole seconds since the machine started. */
export function osUptime(): number {
  return Math.floor(asked(uptime, 0));
}

/** A missing permission is an answer too. */
function asked<T>(ask: () => T, otherwise: T): T {
  try {
    return ask();
  } catch {
    return otherwise;
  }
}
