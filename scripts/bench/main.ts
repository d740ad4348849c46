/**
 * Speed and memory of the real command against the demands: `deno task bench [--help]`.
 *
 * One JSON line per figure on standard output, a Markdown table at the end, progress on standard error. Exit code 1 when
 * a demand was missed.
 *
 * @module
 */
import { check, store } from "./baseline/check.ts";
import { inWorkplace, type Workplace } from "./bench.ts";
import { type Mode, readOptions, USAGE } from "./options.ts";
import { drawPlots, measurePlots } from "./plots/plots.ts";
import { writeProfiles } from "./profile/profile.ts";
import { runSuite } from "./suite.ts";

const MODES: Readonly<Record<Mode, (place: Workplace) => Promise<number>>> = {
  table: async (place) => {
    const results = await runSuite(place);
    return results.some(({ rows }) => rows.some((row) => row.pass === false)) ? 1 : 0;
  },
  check,
  store,
  plots: measurePlots,
  draw: drawPlots,
  profile: writeProfiles,
};

async function main(): Promise<number> {
  const root = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
  const options = readOptions(Deno.args, root);
  if (options !== null) return await inWorkplace(options, root, MODES[options.mode]);
  console.log(USAGE);
  return 0;
}

Deno.exit(await main());
