import { fileURLToPath } from "node:url";
import { deepEqual, equal, ok, test, underDeno } from "../harness.ts";
import { inStateFolder, runtime, stateOf } from "../unit/master/state_file_fixture.ts";

const ROUNDS = 6;
const program = fileURLToPath(new URL("state_kill_child.ts", import.meta.url));
const options = underDeno ? ["run", "--no-check", "-A"] : ["--disable-warning=ExperimentalWarning"];

/** Kills a saving process after `saves` of its saves, at whatever it does then; the last number that it said. */
async function killed(folder: string, saves: number): Promise<{ first: number; last: number }> {
  const child = runtime.processes.spawn({
    command: runtime.process.execPath,
    args: [...options, program, folder],
    env: {},
  });
  const decoder = new TextDecoder();
  let output = "";
  let trouble = "";
  child.onErrorOutput((bytes) => trouble += decoder.decode(bytes));
  child.onOutput((bytes) => {
    output += decoder.decode(bytes);
    // Not at the end of a save: the next one is under way.
    if (output.split("\n").length > saves + 2) void runtime.clock.after(Math.random() * 3, () => child.kill());
  });
  const { signal } = await child.exited;
  equal(signal, "SIGKILL", trouble);
  const lines = output.split("\n").slice(0, -1);
  return { first: Number(lines[0]?.replace("start ", "")), last: Number(lines.at(-1)?.replace("start ", "")) };
}

test("A state that was acknowledged outlives a kill, and the next process takes over", () =>
  inStateFolder(async (folder) => {
    let acknowledged = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const { first, last } = await killed(folder.path, round * 7);
      ok(first >= acknowledged && first <= acknowledged + 1, `${acknowledged} was acknowledged, ${first} was found`);
      acknowledged = last;
    }
    const found = await folder.run();
    ok(found !== null && found.run >= acknowledged);
    deepEqual(found, stateOf(found.run % 50, { run: found.run }));
    deepEqual(folder.log, []);
    deepEqual(await folder.names(), ["nodepass.json", "nodepass.json.1"]);
  }));
