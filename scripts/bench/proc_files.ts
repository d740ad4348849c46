/**
 * What Linux tells about processes and sockets.
 *
 * @module
 */

const ESTABLISHED = "01";
const LISTENING = "0A";
/** A UDP socket without a peer. */
const UNCONNECTED = "07";

/** Processor time of each thread, in nanoseconds. */
export type CpuClock = ReadonlyMap<string, number>;

/** What the threads of these processes have used so far, as the scheduler counts it. */
export function cpuClock(pids: readonly number[]): CpuClock {
  const clock = new Map<string, number>();
  for (const pid of pids) {
    for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
      try {
        const [nanoseconds] = Deno.readTextFileSync(`/proc/${pid}/task/${name}/schedstat`).split(" ");
        clock.set(name, Number(nanoseconds));
      } catch {
        // The thread has just ended.
      }
    }
  }
  return clock;
}

/** Processor seconds between two readings. */
export function cpuSecondsBetween(before: CpuClock, after: CpuClock): number {
  let nanoseconds = 0;
  for (const [thread, count] of after) nanoseconds += count - (before.get(thread) ?? 0);
  return nanoseconds / 1e9;
}

/** Resident memory in MB (10^6 bytes). */
export function residentMegabytes(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? NaN) * 1024 / 1e6;
}

/** Memory in MB (10^6 bytes), what several processes share divided between them. */
export function proportionalMegabytes(pid: number): number {
  const rollup = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? NaN) * 1024 / 1e6;
}

/** A process and everything that it started, and that those started. */
export function processTree(pid: number): number[] {
  const children: number[] = [];
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    const text = Deno.readTextFileSync(`/proc/${pid}/task/${name}/children`);
    children.push(...text.split(" ").filter((word) => word.trim() !== "").map(Number));
  }
  return [pid, ...children.flatMap(processTree)];
}

/** Connections established on this local port, seen from the listening side. */
export function establishedOn(port: number): number {
  return countSockets(port, ESTABLISHED);
}

/** Whether anybody listens on this port. */
export function isListening(port: number): boolean {
  return countSockets(port, LISTENING) > 0;
}

/** Whether a UDP socket is bound to this port. */
export function isBound(port: number): boolean {
  return countSockets(port, UNCONNECTED, ["/proc/net/udp", "/proc/net/udp6"]) > 0;
}

/** Datagrams that the system threw away because the UDP socket of this port was full. */
export function droppedAt(port: number): number {
  let dropped = 0;
  for (const line of Deno.readTextFileSync("/proc/net/udp").trim().split("\n").slice(1)) {
    const columns = line.trim().split(/\s+/);
    if (parseInt(columns[1]!.split(":")[1]!, 16) === port) dropped += Number(columns.at(-1));
  }
  return dropped;
}

function countSockets(
  port: number,
  state: string,
  files: readonly string[] = ["/proc/net/tcp", "/proc/net/tcp6"],
): number {
  const pattern = new RegExp(
    `^ *\\d+: [0-9A-F]+:${port.toString(16).toUpperCase().padStart(4, "0")} \\S+ ${state} `,
    "gm",
  );
  let count = 0;
  for (const file of files) {
    count += Deno.readTextFileSync(file).match(pattern)?.length ?? 0;
  }
  return count;
}

/** Polls a fact about another process, which sends no event. */
export async function until(what: string, fact: () => boolean, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!fact()) {
    if (performance.now() > deadline) throw new Error(`Waited ${timeoutMs} ms for ${what}`);
    await delay(50);
  }
}

/** Waits. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
