import { deepStrictEqual } from "node:assert/strict";
import {
  countJunit,
  countLines,
  countRun,
  failedCases,
  missingPrograms,
  withoutPassed,
} from "../../scripts/gate/junit.ts";

const DENO_REPORT = `<testsuites name="deno test" tests="4" failures="1" errors="0" time="0.1">
  <testsuite name="./a_test.ts" tests="4" disabled="1" errors="0" failures="1">
    <testcase name="a" classname="./a_test.ts" time="0.001" line="1" col="6">
    </testcase>
    <testcase name="b &lt;failure&gt;" classname="./a_test.ts" time="0.001" line="1" col="6">
    </testcase>
    <testcase name="c" classname="./a_test.ts" time="0.001" line="1" col="32">
      <failure message="Uncaught Error: x">Error: x</failure>
    </testcase>
    <testcase name="d" classname="./a_test.ts" time="0.000" line="1" col="86">
      <skipped/>
    </testcase>
  </testsuite>
</testsuites>`;

const NODE_REPORT = `<testsuites>
  <testcase name="a => 1" time="0.004646" classname="test"/>
  <testcase name="b" time="0.000496" classname="test" failure="x">
    <failure type="testCodeFailure" message="x"></failure>
  </testcase>
  <testcase name="c" time="0.000310" classname="test">
    <skipped type="skipped" message="needs haproxy"/>
  </testcase>
  <testsuite name="n" time="0.001106" disabled="0" errors="0" tests="1" failures="0" skipped="0" hostname="vm">
    <testcase name="one" time="0.000359" classname="test"/>
  </testsuite>
</testsuites>`;

Deno.test("countJunit() counts the cases of both runners", () => {
  deepStrictEqual(countJunit(DENO_REPORT), { passed: 2, failed: 1, skipped: 1 });
  deepStrictEqual(countJunit(NODE_REPORT), { passed: 2, failed: 1, skipped: 1 });
  deepStrictEqual(countJunit("<testsuites></testsuites>"), { passed: 0, failed: 0, skipped: 0 });
});

Deno.test("countJunit() takes a missing program as a failure where every program must be there", () => {
  const report =
    '<testcase name="a (needs haproxy)"><skipped/></testcase><testcase name="b (Linux only)"><skipped/></testcase>';
  deepStrictEqual(countJunit(report), { passed: 0, failed: 0, skipped: 2 });
  deepStrictEqual(countJunit(report, true), { passed: 0, failed: 1, skipped: 1 });
  deepStrictEqual(missingPrograms(report), ["a (needs haproxy)"]);
});

Deno.test("countLines() counts what a killed run had printed", () => {
  const output =
    "a ... ok (1ms)\nb ... FAILED (1ms)\nc ... ignored (0ms)\n✔ d (4ms)\n  ✔ e (1ms)\n✖ f (0.4ms)\n﹣ g (0.3ms) # why";
  deepStrictEqual(countLines(output), { passed: 3, failed: 2, skipped: 2 });
});

Deno.test("countRun() takes a bad exit without a failed case as one failure", () => {
  deepStrictEqual(countRun(NODE_REPORT.replace(/<failure.*failure>/, ""), "", 1), { passed: 3, failed: 1, skipped: 1 });
  deepStrictEqual(countRun(null, "a ... ok (1ms)", 124), { passed: 1, failed: 1, skipped: 0 });
});

Deno.test("failedCases() names what failed in the reports of both runners", () => {
  deepStrictEqual(failedCases(DENO_REPORT), ["c"]);
  deepStrictEqual(failedCases(NODE_REPORT), ["b"]);
});

Deno.test("withoutPassed() leaves what did not pass, and what was printed", () => {
  const output =
    "running 2 tests from ./a_test.ts\na ... ok (1ms)\nb ...\nsaid\nb ... FAILED (1ms)\n  ✔ d (4ms)\n✖ e (1ms)\n";
  deepStrictEqual(withoutPassed(output), "b ...\nsaid\nb ... FAILED (1ms)\n✖ e (1ms)\n");
});
