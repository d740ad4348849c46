/**
 * Figures out of the files of `/proc`.
 *
 * @module
 */

const SECTOR_BYTES = 512;

/** Ticks of all processors since the start of the machine. */
export interface CpuTicks {
  readonly total: number;
  readonly idle: number;
}

/** `/proc/stat`; null when it is something else. */
export function parseCpu(stat: string): CpuTicks | null {
  const fields = /^cpu +(.+)$/m.exec(stat)?.[1]?.split(" ").map(Number);
  if (fields === undefined || fields.length < 5 || fields.some(Number.isNaN)) return null;
  // What guests use is part of what users use, so the first eight are all there is.
  const total = fields.slice(0, 8).reduce((sum, ticks) => sum + ticks, 0);
  return { total, idle: fields[3]! + fields[4]! };
}

/** How busy the processors were between two moments, in percent; -1 when nothing is known. */
export function cpuPercent(from: CpuTicks | null, to: CpuTicks | null): number {
  const total = from === null || to === null ? 0 : to.total - from.total;
  if (total <= 0) return -1;
  return Math.min(100, Math.max(0, Math.round(100 * (1 - (to!.idle - from!.idle) / total))));
}

/** Bytes of memory, as `/info` names them. */
export interface Memory {
  readonly mem_total: number;
  readonly mem_used: number;
  readonly mem_free: number;
  readonly swap_total: number;
  readonly swap_used: number;
  readonly swap_free: number;
}

/** `/proc/meminfo`. Free is what programs can have, caches included. */
export function parseMemory(meminfo: string): Memory {
  const bytes = (name: string): number => 1024 * Number(new RegExp(`^${name}: +(\\d+)`, "m").exec(meminfo)?.[1] ?? 0);
  const total = bytes("MemTotal");
  const free = Math.min(total, bytes("MemAvailable"));
  const swap = bytes("SwapTotal");
  const swapFree = Math.min(swap, bytes("SwapFree"));
  return {
    mem_total: total,
    mem_used: total - free,
    mem_free: free,
    swap_total: swap,
    swap_used: swap - swapFree,
    swap_free: swapFree,
  };
}

const VIRTUAL_NETWORKS = /^(lo$|veth|docker|podman|br-|virbr)/;

/** `/proc/net/dev`: bytes of all interfaces that lead out of the machine. */
export function parseNetwork(dev: string): { readonly netrx: number; readonly nettx: number } {
  let netrx = 0;
  let nettx = 0;
  for (const [, name = "", rest = ""] of dev.matchAll(/^ *([^:|\n]+): *(\d[\d ]*)$/gm)) {
    if (VIRTUAL_NETWORKS.test(name)) continue;
    const fields = rest.split(/ +/).map(Number);
    netrx += fields[0] ?? 0;
    nettx += fields[8] ?? 0;
  }
  return { netrx, nettx };
}

const VIRTUAL_DISKS = /^(loop|ram|dm-|md)/;

/** `/proc/diskstats`: bytes of all real disks, their partitions not counted again. */
export function parseDisks(diskstats: string): { readonly diskr: number; readonly diskw: number } {
  const disks = new Map<string, { readonly read: number; readonly written: number }>();
  for (const line of diskstats.split("\n")) {
    const fields = line.trim().split(/ +/);
    const [name, read, written] = [fields[2] ?? "", Number(fields[5]), Number(fields[9])];
    if (!VIRTUAL_DISKS.test(name) && read >= 0 && written >= 0) disks.set(name, { read, written });
  }
  let diskr = 0;
  let diskw = 0;
  for (const [name, { read, written }] of disks) {
    if (isPartition(name, disks)) continue;
    diskr += read * SECTOR_BYTES;
    diskw += written * SECTOR_BYTES;
  }
  return { diskr, diskw };
}

/** `sda1` where there is `sda`, `nvme0n1p1` where there is `nvme0n1`. */
function isPartition(name: string, disks: ReadonlyMap<string, unknown>): boolean {
  const disk = /^(.*\d)p\d+$/.exec(name)?.[1] ?? /^(.*\D)\d+$/.exec(name)?.[1];
  return disk !== undefined && disks.has(disk);
}

/** `/proc/uptime`: whole seconds. */
export function parseUptime(uptime: string): number {
  return Math.floor(Number.parseFloat(uptime)) || 0;
}
