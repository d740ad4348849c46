import { deepStrictEqual } from "node:assert/strict";
import { judgeAudit } from "../../scripts/gate/tree_checks.ts";

/** Passed, failed, skipped. */
function verdict(code: number, output: string): number[] {
  const { passed, failed, skipped } = judgeAudit(code, output);
  return [passed, failed, skipped];
}

Deno.test("the audit passes when the registry knows of no hole, and only then", () => {
  deepStrictEqual(verdict(0, "No known vulnerabilities found\n"), [1, 0, 0]);
  deepStrictEqual(verdict(1, "Severity: high\nPackage: x\n"), [0, 1, 0]);
  deepStrictEqual(verdict(0, "Found 2 vulnerabilities\n"), [0, 1, 0]);
  const unknown = [0, 0, 1];
  deepStrictEqual(
    verdict(1, "error: error sending request for url (https://x/-/npm/v1/security/advisories/bulk)"),
    unknown,
  );
  deepStrictEqual(verdict(0, ""), unknown);
  deepStrictEqual(verdict(124, "timed out"), unknown);
});
