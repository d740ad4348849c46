/** What the command says about hostile arguments does not act on the terminal that shows it. */
import { startCommand } from "../e2e/process.ts";
import { equal, match, ok } from "../harness.ts";

const EVIL = "\r\x1b[2J\x1b]0;title\x07\u202egnp\u2066\u200b\ufeff";
// deno-lint-ignore no-control-regex
const ACTS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/;
const LONGEST_LINE = 1_100;

Deno.test("the command writes hostile arguments escaped and cut", async () => {
  const long = "x".repeat(100_000);
  for (
    const args of [
      [EVIL],
      ["verify", EVIL],
      [`server://k@${EVIL}:1/127.0.0.1:2`],
      [`client://k@127.0.0.1:1/127.0.0.1:2?${EVIL}=1&mode=${EVIL}`],
      ["run", EVIL],
      ["server", `--${EVIL}`],
      ["verify", `server://k@127.0.0.1:1/${long}`],
      ["run", `/tmp/${long}`],
      [`server://k@127.0.0.1:1/127.0.0.1:2?crt=/${EVIL}&tls=2&key=/${EVIL}`],
    ]
  ) {
    await using process = startCommand(args);
    equal(await process.exited === 0, false);
    match(process.output, /nodepass: |"findings"|expected/);
    for (const line of process.lines) {
      ok(!ACTS.test(line), JSON.stringify(line));
      ok(line.length <= LONGEST_LINE, `${line.length} characters`);
    }
  }
});
