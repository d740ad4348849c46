import assert from "node:assert/strict";
import fc from "fast-check";
import { limited } from "../../../src/log/limited.ts";
import { createLogger } from "../../../src/log/logger.ts";
import type { LogLevel } from "../../../src/log/types.ts";
import { test } from "../../harness.ts";

function setup(perSecond: number, level: LogLevel = "debug") {
  let now = 0;
  const times: number[] = [];
  const lines: string[] = [];
  const write = (line: string) => {
    times.push(now);
    lines.push(line.replace(/^.*? {2}/, ""));
  };
  const logger = limited(
    createLogger({ level, format: "text", color: false, write, wall: () => 0 }),
    perSecond,
    () => now,
  );
  return { logger, lines, times, advance: (ms: number) => void (now += ms) };
}

test("limited() lets the allowed lines through and counts the rest", () => {
  const { logger, lines, advance } = setup(3);
  for (let i = 0; i < 10; i++) logger.warn("Refused", { i });
  assert.deepEqual(lines, ["WARN  Refused i=0", "WARN  Refused i=1", "WARN  Refused i=2"]);
  advance(1000);
  logger.warn("Refused", { i: 10 });
  assert.deepEqual(lines.slice(3), [
    "WARN  Lines left out: too many in one second lines=7",
    "WARN  Refused i=10",
  ]);
});

test("limited() flush() reports the pending count once", () => {
  const { logger, lines, advance } = setup(2);
  for (let i = 0; i < 5; i++) logger.info("Refused");
  logger.flush();
  assert.equal(lines.length, 2);
  advance(1000);
  logger.flush();
  logger.flush();
  assert.deepEqual(lines.slice(2), ["WARN  Lines left out: too many in one second lines=3"]);
});

test("limited() shares the limit with its children and ignores disabled levels", () => {
  const { logger, lines } = setup(2, "warn");
  const child = logger.with({ peer: "a" });
  for (let i = 0; i < 50; i++) logger.debug("Quiet");
  assert.equal(logger.enabled("info"), false);
  logger.warn("One");
  child.error("Two");
  child.event("Three");
  assert.deepEqual(lines, ["WARN  One", "ERROR  Two peer=a"]);
});

test("limited() keeps the limit in every interval of one second and accounts for every line", () => {
  fc.assert(fc.property(
    fc.integer({ min: 2, max: 12 }),
    fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 300 }),
    (perSecond, gaps) => {
      const { logger, lines, times, advance } = setup(perSecond);
      for (const gap of gaps) {
        advance(gap);
        logger.warn("Refused");
      }
      advance(1000);
      logger.flush();
      for (let i = perSecond; i < times.length; i++) assert.ok(times[i]! - times[i - perSecond]! >= 1000);
      const counts = lines.map((line) => Number(/lines=(\d+)/.exec(line)?.[1] ?? 1));
      assert.equal(counts.reduce((a, b) => a + b, 0), gaps.length);
    },
  ));
});
