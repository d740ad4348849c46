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

/** Counts the cases of a JUnit file; both runners write one, Node nests its suites. */
export function countJunit(xml: string): Counts {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  for (
    const [, attributes = "", selfClosed, body = ""] of xml.matchAll(
      /<testcase\b([^>]*?)(?:(\/)>|>([^]*?)<\/testcase>)/g,
    )
  ) {
    void attributes;
    const inside = selfClosed === undefined ? body : "";
    if (/<(failure|error)\b/.test(inside)) failed++;
    else if (/<skipped\b/.test(inside)) skipped++;
    else passed++;
  }
  return { passed, failed, skipped };
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
export function countRun(xml: string | null, output: string, code: number): Counts {
  const counts = xml === null ? countLines(output) : countJunit(xml);
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}
