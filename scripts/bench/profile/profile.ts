/**
 * Where the time of both ends goes under the main loads.
 *
 * @module
 */
import { missingPrograms } from "../backends.ts";
import { type Bench, benchOn, type Workplace } from "../bench.ts";
import { type EndRuntime, startTunnel } from "../ends.ts";
import { cpuClock, cpuSecondsBetween } from "../proc_files.ts";
import { readResult, writeResult } from "../written.ts";
import { type CpuProfile, topFunctions } from "./cpu_profile.ts";
import { PROFILED_LOADS, type ProfiledLoad } from "./loads.ts";
import { type EndProfile, type LoadProfile, profileSection, readRemarks } from "./report.ts";
import { type CallCounts, countCalls } from "./syscalls.ts";

const FILE = "profiles.md";
const FUNCTIONS = 12;
const PROFILED_SECONDS = 5;
const TRACED_SECONDS = 2;
const ROLES = ["Server", "Client"] as const;
const HEAD = `# Profiles

Own time of functions while a load runs, idle time left out, and the system calls that the same load makes under strace
(which slows it, so that a call carries less). Written by \`deno task bench --profile --runtime both\`; the last line of
each section is by hand and stays.
`;

/** Profiles all loads on each runtime and writes the document. */
export async function writeProfiles(place: Workplace): Promise<number> {
  const remarks = readRemarks(await readResult(place, FILE) ?? "");
  const missing = await missingPrograms(["iperf3", "wrk", "nginx-full"]);
  if (missing.length > 0) throw new Error(`Cannot profile: needs the Debian package ${missing.join(", ")}`);
  const traced = (await missingPrograms(["strace"])).length === 0;
  const sections: string[] = [];
  const runtimes: string[] = [];
  for (const runtime of place.options.runtimes) {
    const bench = await benchOn(place, runtime, () => {});
    runtimes.push(bench.ends.name);
    for (const load of PROFILED_LOADS) {
      place.say(`${runtime}: ${load.title}`);
      const profile = await profileLoad(bench, load, traced);
      sections.push(profileSection(profile, remarks.get(profile.title)));
    }
  }
  const measured = `\n${runtimes.join(", ")}, ${place.commit}, ${navigator.hardwareConcurrency} cores.\n`;
  await writeResult(place, FILE, [HEAD + measured, ...sections].join("\n"));
  console.log(`docs/benchmarks/${FILE}`);
  return 0;
}

async function profileLoad(bench: Bench, load: ProfiledLoad, traced: boolean): Promise<LoadProfile> {
  const backend = await load.startBackend(bench);
  const plain = await measurePlain(bench, load, backend.port, traced);
  const folder = await Deno.makeTempDir({ dir: bench.folder });
  const profiled = withProfiler(bench.ends, folder);
  const entry = await startTunnel(bench.processes, profiled, { tls: load.tls, backend: backend.port });
  const begin = performance.now();
  await load.run(bench, entry, PROFILED_SECONDS);
  // A profile ends with the process.
  const lastMs = performance.now() - begin;
  await entry.stop();
  await backend.stop();
  const ends = await Promise.all(entry.pids.map(async (pid, i): Promise<EndProfile> => ({
    role: ROLES[i]!,
    functions: topFunctions(await readProfile(folder, pid), lastMs, FUNCTIONS),
    cpuMicrosPerUnit: plain.cpuMicrosPerUnit[i]!,
    calls: plain.calls === null ? null : { counts: plain.calls[i]!, units: plain.tracedUnits },
  })));
  const title = `${bench.ends.name.split(" ")[0]}: ${load.title}`;
  return { title, unit: load.unit, units: load.units, unitsPerSecond: plain.unitsPerSecond, ends };
}

interface PlainCosts {
  readonly unitsPerSecond: number;
  readonly cpuMicrosPerUnit: readonly number[];
  readonly calls: readonly CallCounts[] | null;
  readonly tracedUnits: number;
}

/** Processor time and system calls, without the profiler. */
async function measurePlain(bench: Bench, load: ProfiledLoad, backend: number, traced: boolean): Promise<PlainCosts> {
  const entry = await startTunnel(bench.processes, bench.ends, { tls: load.tls, backend });
  await load.run(bench, entry, 1);
  const before = entry.pids.map((pid) => cpuClock([pid]));
  const units = await load.run(bench, entry, PROFILED_SECONDS);
  const cpu = entry.pids.map((pid, i) => cpuSecondsBetween(before[i]!, cpuClock([pid])));
  let tracedUnits = 0;
  const calls = traced
    ? await countCalls(bench, entry.pids, async () => void (tracedUnits = await load.run(bench, entry, TRACED_SECONDS)))
    : null;
  await entry.stop();
  const cpuMicrosPerUnit = cpu.map((seconds) => seconds * 1e6 / units);
  return { unitsPerSecond: units / PROFILED_SECONDS, cpuMicrosPerUnit, calls, tracedUnits };
}

function withProfiler(ends: EndRuntime, folder: string): EndRuntime {
  const flags = ["--cpu-prof", `--cpu-prof-dir=${folder}`];
  const own = ends.kind === "deno" ? 2 : 1;
  return { ...ends, command: [...ends.command.slice(0, own), ...flags, ...ends.command.slice(own)] };
}

/** The runtimes put the process id into the name. */
async function readProfile(folder: string, pid: number): Promise<CpuProfile> {
  for (const { name } of Deno.readDirSync(folder)) {
    if (name.split(".").includes(String(pid))) {
      return JSON.parse(await Deno.readTextFile(`${folder}/${name}`)) as CpuProfile;
    }
  }
  throw new Error(`Process ${pid} wrote no profile`);
}
