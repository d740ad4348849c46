import { FIGURE_IDS, readOptions } from "../../../../scripts/bench/options.ts";
import { deepEqual, equal, test, throws } from "../../../harness.ts";

test("readOptions() has five repetitions of four seconds of everything by default", () => {
  const options = readOptions([], "/root");
  deepEqual(
    [options?.mode, options?.reps, options?.seconds, options?.runtimes, options?.tls],
    ["table", 5, 4, ["deno"], [0, 1]],
  );
  equal(options?.only.size, FIGURE_IDS.length);
});

test("readOptions() takes both runtimes and single figures", () => {
  const options = readOptions(["--check", "--runtime", "both", "--only", "P1,P7", "--quick"], "/root");
  deepEqual([options?.mode, options?.runtimes, options?.reps], ["check", ["deno", "node"], 2]);
  deepEqual([...options!.only], ["P1", "P7"]);
});

test("readOptions() makes plots short and takes their names", () => {
  const options = readOptions(["--plots", "memory,throughput"], "/root");
  deepEqual([options?.plots, options?.reps, options?.seconds], [["memory", "throughput"], 3, 2]);
});

test("readOptions() refuses what it does not know", () => {
  throws(() => readOptions(["--only", "P99"], "/root"), /--only is "P99"/);
  throws(() => readOptions(["--runtime", "bun"], "/root"), /--runtime is "bun"/);
  throws(() => readOptions(["--check", "--plots"], "/root"), /exclude each other/);
  throws(() => readOptions(["memory"], "/root"), /"memory"/);
});
