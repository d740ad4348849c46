import { topFunctions } from "../../../../scripts/bench/profile/cpu_profile.ts";
import { profileSection, readRemarks } from "../../../../scripts/bench/profile/report.ts";
import { readSummary } from "../../../../scripts/bench/profile/syscalls.ts";
import { readReport } from "../../../../scripts/bench/wrk.ts";
import { deepEqual, equal, match, test, throws } from "../../../harness.ts";

const frame = (functionName: string, url = "", lineNumber = 0) => ({ functionName, url, lineNumber });
const PROFILE = {
  nodes: [
    { id: 1, callFrame: frame("(idle)") },
    { id: 2, callFrame: frame("read", "file:///home/me/src/relay/copy.ts", 41) },
    { id: 3, callFrame: frame("(program)") },
  ],
  samples: [3, 2, 1, 3, 2],
  timeDeltas: [0, 5000, 1000, 2000, 1000],
};

test("topFunctions() shares out the time that was not idle", () => {
  deepEqual(topFunctions(PROFILE, 1000, 5), [
    { name: "native code and system calls", place: "", share: 6 / 7 },
    { name: "read", place: "src/relay/copy.ts:42", share: 1 / 7 },
  ]);
});

test("topFunctions() looks at the end of the profile alone", () => {
  deepEqual(topFunctions(PROFILE, 2, 1), [{ name: "native code and system calls", place: "", share: 1 }]);
});

const STRACE = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 61.20    0.102000           5     20000         3 read
 30.00    0.050000           5     30000           write
------ ----------- ----------- --------- --------- ----------------
100.00    0.152000           5     50000         3 total
`;

test("readSummary() reads the calls of strace with and without errors, not the total", () => {
  deepEqual(readSummary(STRACE), [{ name: "write", calls: 30000 }, { name: "read", calls: 20000 }]);
});

test("profileSection() has both ends side by side and calls per unit", () => {
  const functions = [{ name: "read", place: "src/relay/copy.ts:42", share: 0.5 }];
  const calls = { counts: readSummary(STRACE), units: 10_000 };
  const ends = [
    { role: "Server", functions, cpuMicrosPerUnit: 20, calls },
    { role: "Client", functions: [], cpuMicrosPerUnit: 30, calls: null },
  ] as const;
  const text = profileSection(
    { title: "deno: Bulk", unit: "MiB", units: "MiB", unitsPerSecond: 1500, ends },
    "the kernel.",
  );
  match(text, /^## deno: Bulk\n\n1500 MiB per second; processor time per MiB: server 20 µs, client 30 µs\./);
  match(text, /\| read copy\.ts:42 \| 50\.0 % \|/);
  match(text, /Server, system calls per MiB: write 3, read 2\./);
  match(text, /What is left: the kernel\.\n$/);
});

test("readRemarks() finds what was written below each section, folded lines included", () => {
  const remarks = readRemarks("# Profiles\n\n## a\n\ntable\n\nWhat is left: one\ntwo.\n\n## b\n\ntable\n");
  deepEqual([...remarks], [["a", "one two."]]);
});

const WRK = `Running 2s test @ http://127.0.0.1:1/
  Latency Distribution
     50%  812.00us
     99%    2.50ms
  43210 requests in 2.00s, 7.00MB read
  Socket errors: connect 1, read 2, write 0, timeout 0
Requests/sec:  21600.12
`;

test("readReport() reads rate, count, errors and the 99th percentile of wrk", () => {
  deepEqual(readReport(WRK), { perSecond: 21600.12, requests: 43210, errors: 3, p99Ms: 2.5 });
  equal(readReport(WRK.replace("2.50ms", "900.00us")).p99Ms, 0.9);
});

test("readReport() throws with the text that has no rate", () => {
  throws(() => readReport("unable to connect"), /unable to connect/);
});
