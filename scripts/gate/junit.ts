/**
 * Counts test results from what the runners of Deno and Node write.
 *
 * @module
 */

/** How many tests ended how. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** A skipped case with "(needs haproxy)" in its name is one whose outside program is missing. */
const NEEDS_PROGRAM = /\(needs /;
const FAILED = /<(failure|error)\b/;
const SKIPPED = /<skipped\b/;

/**
 * Counts the cases of a JUnit file; both runners write one, Node nests its suites.
 *
 * With `requirePrograms`, a test that was skipped because its outside program is missing counts as failed.
 */
export function countJunit(xml: string, requirePrograms = false): Counts {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  for (const { attributes, body } of cases(xml)) {
    if (FAILED.test(body)) failed++;
    else if (!SKIPPED.test(body)) passed++;
    else if (requirePrograms && NEEDS_PROGRAM.test(attributes)) failed++;
    else skipped++;
  }
  return { passed, failed, skipped };
}

/** The names of the tests that were skipped because their outside program is missing. */
export function missingPrograms(xml: string): string[] {
  return namesOf(xml, ({ attributes, body }) => SKIPPED.test(body) && NEEDS_PROGRAM.test(attributes));
}

/** The names of the tests that failed, as they stand in a JUnit file. */
export function failedCases(xml: string): string[] {
  return namesOf(xml, ({ body }) => FAILED.test(body));
}

/** What a run printed without the lines of what passed: a failure stands out, also where a log is cut. */
export function withoutPassed(output: string): string {
  return output.replace(/^(?:running \d+ tests from .*|.* \.\.\. ok \(.*\)|\s*✔ .*)\n/gm, "");
}

/** One test of a JUnit file. */
interface Case {
  readonly attributes: string;
  readonly body: string;
}

function namesOf(xml: string, wanted: (each: Case) => boolean): string[] {
  return cases(xml).filter(wanted).map(({ attributes }) => /name="([^"]*)"/.exec(attributes)?.[1] ?? "");
}

/** The cases of a JUnit file; attribute values may hold a bare ">". */
function cases(xml: string): Case[] {
  const pattern = /<testcase\b((?:"[^"]*"|[^">])*?)(?:\/>|>([^]*?)<\/testcase>)/g;
  return [...xml.matchAll(pattern)].map(([, attributes = "", body = ""]) => ({ attributes, body }));
}

/** Counts the result lines of a run that was killed before it wrote its JUnit file. */
export function countLines(output: string): Counts {
  const count = (pattern: RegExp): number => output.match(pattern)?.length ?? 0;
  return {
    passed: count(/ \.\.\. ok \(|^\s*✔ /gm),
    failed: count(/ \.\.\. FAILED \(|^\s*✖ /gm),
    skipped: count(/ \.\.\. ignored \(|^\s*﹣ /gm),
  };
}

/** What a finished run counts as: a bad exit without a failed case (a file that does not load) is one failure. */
export function countRun(xml: string | null, output: string, code: number, requirePrograms = false): Counts {
  const counts = xml === null ? countLines(output) : countJunit(xml, requirePrograms);
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}
