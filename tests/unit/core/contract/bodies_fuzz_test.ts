import fc from "fast-check";
import { parseBody } from "../../../../src/core/contract/parse.ts";
import { Failure } from "../../../../src/core/failure.ts";
import { deepEqual, equal, ok, test } from "../../../harness.ts";
import { adminSamples, changed, nodeSamples } from "./samples.ts";
import type { Body } from "../../../../src/core/contract/body.ts";

const samples = [...nodeSamples, ...adminSamples];

function failureOf(schema: Body<unknown>, value: unknown): Failure | null {
  try {
    parseBody(schema, value);
    return null;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    equal(error.failure, "VALIDATION_FAILED");
    return error;
  }
}

for (const { name, schema, valid, wrong, optional } of samples) {
  test(`${name}: what is right passes, with members that nobody knows only from nodes`, () => {
    equal(failureOf(schema, valid), null);
    const more = failureOf(schema, { ...valid, someone: { elses: true } });
    if (nodeSamples.some((sample) => sample.name === name)) equal(more, null);
    else deepEqual(more?.issues, [{ path: "someone", message: "is not known here" }]);
  });

  test(`${name}: a wrong value is refused where it is`, () => {
    for (const [path, values] of Object.entries(wrong)) {
      fc.assert(
        fc.property(values, (value) => {
          const failure = failureOf(schema, changed(valid, path, value));
          equal(failure?.issues?.[0]?.path, path, `${path} = ${JSON.stringify(value)?.slice(0, 200)}`);
          ok(failure?.message.startsWith(`${path}: `));
        }),
        { numRuns: 60 },
      );
    }
  });

  test(`${name}: only what is optional may be missing`, () => {
    for (const path of Object.keys(wrong)) {
      if (/\.\d+$/.test(path)) continue;
      const failure = failureOf(schema, changed(valid, path, undefined));
      if (optional.includes(path)) equal(failure, null, path);
      else equal(failure?.issues?.[0]?.path, path);
    }
  });

  test(`${name}: any JSON at all is refused or passes, and nothing else happens`, () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void failureOf(schema, value)), { numRuns: 200 });
    for (const value of [null, [], "", 0, true, undefined]) {
      equal(failureOf(schema, value)?.issues?.[0]?.path, "", JSON.stringify(value));
    }
  });
}

test("parseBody: of many faults twenty are told", () => {
  const usage = nodeSamples.find(({ name }) => name === "usageBody");
  ok(usage !== undefined);
  const failure = failureOf(usage.schema, { entries: Array.from({ length: 20_000 }, () => ({})) });
  equal(failure?.issues?.length, 20);
});
