import {
  cpuPercent,
  parseCpu,
  parseDisks,
  parseMemory,
  parseNetwork,
  parseUptime,
} from "../../../src/master/system_info/proc.ts";
import { SystemSampler } from "../../../src/master/system_info/sampler.ts";
import { FakeClock } from "../../fake_clock.ts";
import { deepEqual, equal, ok, test } from "../../harness.ts";

const STAT = (busy: number, idle: number) =>
  `cpu  ${busy} 0 0 ${idle} 10 0 0 0 5 0\ncpu0 1 2 3 4 5 6 7 8 9 0\nintr 1\n`;

const MEMINFO = `MemTotal:       24684084 kB
MemFree:        20000000 kB
MemAvailable:   24000000 kB
SwapCached:            0 kB
SwapTotal:       1000 kB
SwapFree:         400 kB
`;

const NET = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0
  eth0: 1000 1 0 0 0 0 0 0 2000 1 0 0 0 0 0 0
 wlan0:10 1 0 0 0 0 0 0 20 1 0 0 0 0 0 0
docker0: 5 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0
veth12ab: 5 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0
br-77: 5 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0
`;

const DISKS = `   7       0 loop0 5 0 100 0 5 0 100 0 0 0 0
   1       0 ram0 5 0 100 0 5 0 100 0 0 0 0
 253       0 dm-0 5 0 100 0 5 0 100 0 0 0 0
   9       0 md0 5 0 100 0 5 0 100 0 0 0 0
   8       0 sda 5 0 10 0 5 0 20 0 0 0 0
   8       1 sda1 5 0 9 0 5 0 19 0 0 0 0
 259       0 nvme0n1 5 0 1 0 5 0 2 0 0 0 0
 259       1 nvme0n1p1 5 0 1 0 5 0 2 0 0 0 0
 202       1 xvda1 5 0 4 0 5 0 6 0 0 0 0
  43       1 nbd1 5 0 2 0 5 0 2 0 0 0 0
  43      10 nbd10 5 0 2 0 5 0 2 0 0 0 0
`;

test("parseCpu and cpuPercent: the share of busy ticks, -1 when nothing is known", () => {
  const before = parseCpu(STAT(100, 1_000));
  deepEqual(before, { total: 1_110, idle: 1_010 });
  equal(cpuPercent(before, parseCpu(STAT(103, 1_007))), 30);
  equal(cpuPercent(before, before), -1);
  equal(cpuPercent(null, before), -1);
  equal(parseCpu("nothing"), null);
});

test("parseMemory: bytes, caches count as free", () => {
  deepEqual(parseMemory(MEMINFO), {
    mem_total: 24_684_084 * 1024,
    mem_used: 684_084 * 1024,
    mem_free: 24_000_000 * 1024,
    swap_total: 1_024_000,
    swap_used: 600 * 1024,
    swap_free: 400 * 1024,
  });
  equal(parseMemory("").mem_total, 0);
});

test("parseNetwork: interfaces of the machine, none of its insides", () => {
  deepEqual(parseNetwork(NET), { netrx: 1_010, nettx: 2_020 });
  deepEqual(parseNetwork(""), { netrx: 0, nettx: 0 });
});

test("parseDisks: disks once, in bytes", () => {
  deepEqual(parseDisks(DISKS), { diskr: 512 * (10 + 1 + 4 + 2 + 2), diskw: 512 * (20 + 2 + 6 + 2 + 2) });
  deepEqual(parseDisks(""), { diskr: 0, diskw: 0 });
});

test("parseUptime: whole seconds", () => {
  equal(parseUptime("12345.67 99999.00\n"), 12_345);
  equal(parseUptime(""), 0);
});

/** A machine whose processors have been busy since the start. */
function machine() {
  const clock = new FakeClock();
  const reads: string[] = [];
  const readText = (path: string): Promise<string> => {
    reads.push(path);
    if (path === "/proc/stat") return Promise.resolve(STAT(clock.now(), clock.now()));
    if (path === "/proc/uptime") return Promise.resolve(`${clock.now() / 1_000} 0\n`);
    if (path === "/proc/meminfo") return Promise.resolve(MEMINFO);
    return Promise.reject(new Error("no such file"));
  };
  return { clock, reads, sampler: new SystemSampler({ files: { readText }, clock }) };
}

test("SystemSampler: one window for all who ask, then answers at once", async () => {
  const { clock, reads, sampler } = machine();
  const asked = [sampler.sample(), sampler.sample()];
  await clock.advanceSteps(200, 20);
  const [first, second] = await Promise.all(asked);
  equal(first, second);
  equal(first?.cpu, 50);
  equal(first?.mem_used, 684_084 * 1024);
  deepEqual([first?.netrx, first?.diskw], [0, 0]);
  const before = reads.length;
  equal(await sampler.sample(), first);
  equal(reads.length, before);
  sampler.close();
  equal(clock.pending, 0);
});

test("SystemSampler: samples in the background while somebody asks, then rests", async () => {
  const { clock, reads, sampler } = machine();
  const first = sampler.sample();
  await clock.advanceSteps(200, 20);
  await first;
  for (let polls = 0; polls < 3; polls++) {
    await clock.advanceSteps(2_000, 50);
    const { sysup } = await sampler.sample();
    equal(sysup, Math.floor(clock.now() / 1_000) - (sysup < Math.floor(clock.now() / 1_000) ? 1 : 0));
  }
  await clock.advanceSteps(15_000, 100);
  equal(clock.pending, 0);
  const before = reads.length;
  await clock.advanceSteps(5_000, 100);
  equal(reads.length, before);
  sampler.close();
});

test("SystemSampler: closing ends a wait", async () => {
  const { clock, sampler } = machine();
  const asked = sampler.sample();
  await clock.advanceSteps(20, 10);
  sampler.close();
  equal((await asked).mem_total, 24_684_084 * 1024);
  equal(clock.pending, 0);
});

test("SystemSampler: without /proc the runtime says how busy the machine is", async () => {
  const clock = new FakeClock();
  const sampler = new SystemSampler({ files: { readText: () => Promise.reject(new Error("denied")) }, clock });
  const asked = sampler.sample();
  await clock.advanceSteps(200, 20);
  const { cpu, mem_total, mem_used, sysup, netrx } = await asked;
  ok(mem_total > 0 && mem_used > 0 && mem_used < mem_total, `${mem_used} of ${mem_total} bytes`);
  // The fake clock leaves no time between both looks: -1 is a machine without a tick.
  ok(Number.isInteger(cpu) && cpu >= -1 && cpu <= 100, `${cpu} %`);
  ok(sysup > 0);
  equal(netrx, 0);
  sampler.close();
});
