import assert from "node:assert/strict";
import fc from "fast-check";
import { createLogger, type LoggerOptions } from "../../../src/log/logger.ts";
import type { LineLevel, LogLevel } from "../../../src/log/types.ts";
import { test } from "../../harness.ts";

const WALL = new Date(2026, 0, 2, 15, 4, 5, 6).getTime();
const LEVELS: readonly LineLevel[] = ["debug", "info", "warn", "error", "event"];

function record(options: Partial<LoggerOptions> = {}): { lines: string[]; options: LoggerOptions } {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  return { lines, options: { level: "debug", format: "text", color: false, write, wall: () => WALL, ...options } };
}

test("createLogger() writes the line form of the Go program", () => {
  const { lines, options } = record();
  const logger = createLogger(options);
  for (const level of LEVELS) logger[level]("Message");
  assert.deepEqual(lines, [
    "2026-01-02 15:04:05.006  DEBUG  Message",
    "2026-01-02 15:04:05.006  INFO  Message",
    "2026-01-02 15:04:05.006  WARN  Message",
    "2026-01-02 15:04:05.006  ERROR  Message",
    "2026-01-02 15:04:05.006  EVENT  Message",
  ]);
});

test("createLogger() colours the level only", () => {
  const { lines, options } = record({ color: true });
  const logger = createLogger(options);
  logger.info("Message", { a: 1 });
  logger.error("Bad \x1b[0m");
  assert.deepEqual(lines, [
    "2026-01-02 15:04:05.006  \x1b[32mINFO\x1b[0m  Message a=1",
    "2026-01-02 15:04:05.006  \x1b[31mERROR\x1b[0m  Bad \\x1b[0m",
  ]);
});

test("createLogger() appends fields and leaves undefined ones out", () => {
  const { lines, options } = record();
  const logger = createLogger(options).with({ instance: "abc", peer: "127.0.0.1:1" });
  logger.info("Session ended", {
    bytes: 12n,
    ok: true,
    reason: "peer closed",
    none: null,
    gone: undefined,
    session: 7,
  });
  assert.equal(
    lines[0],
    '2026-01-02 15:04:05.006  INFO  Session ended peer=127.0.0.1:1 bytes=12 ok=true reason="peer closed" none=null',
  );
});

test("createLogger() in JSON has the same fields plus instance and session", () => {
  const { lines, options } = record({ format: "json", color: true });
  const logger = createLogger(options).with({ instance: "abc", peer: "old" }).with({ session: 7 });
  logger.warn("Session \u202eended", { bytes: 12n, huge: 2n ** 70n, peer: "new", level: "x", gone: undefined });
  assert.deepEqual(JSON.parse(lines[0]!), {
    time: "2026-01-02 15:04:05.006",
    level: "WARN",
    message: "Session \u202eended",
    instance: "abc",
    session: 7,
    bytes: 12,
    huge: String(2n ** 70n),
    peer: "new",
  });
  assert.ok(!lines[0]!.includes("\u202e"));
});

test("createLogger() writes by level; event and error are one rank", () => {
  const written: Record<LogLevel, LineLevel[]> = {
    none: [],
    debug: [...LEVELS],
    info: ["info", "warn", "error", "event"],
    warn: ["warn", "error", "event"],
    error: ["error", "event"],
    event: ["error", "event"],
  };
  for (const [level, expected] of Object.entries(written) as [LogLevel, LineLevel[]][]) {
    const { lines, options } = record({ level });
    const logger = createLogger(options).with({ a: 1 });
    for (const name of LEVELS) logger[name]("Message");
    assert.equal(lines.length, expected.length, level);
    assert.deepEqual(LEVELS.filter((name) => logger.enabled(name)), expected);
  }
});

test("createLogger() makes one line of any message and fields, in both forms", () => {
  const text = fc.string({ unit: "binary", maxLength: 1200, size: "max" });
  const value = fc.oneof(text, fc.double(), fc.bigInt(), fc.boolean(), fc.constant(null), fc.constant(undefined));
  fc.assert(
    fc.property(text, fc.dictionary(text, value, { maxKeys: 4 }), (message, fields) => {
      for (const format of ["text", "json"] as const) {
        const { lines, options } = record({ format });
        createLogger(options).info(message, fields);
        assert.equal(lines.length, 1);
        // deno-lint-ignore no-control-regex
        assert.doesNotMatch(lines[0]!, /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/);
        if (format === "json") assert.equal(typeof JSON.parse(lines[0]!).message, "string");
      }
    }),
    { numRuns: 30 },
  );
});

test("createLogger() cuts each value at 1,024 characters", () => {
  for (const format of ["text", "json"] as const) {
    const { lines, options } = record({ format });
    createLogger(options).info("m".repeat(1 << 20), { a: "v".repeat(1 << 20), b: "w".repeat(1 << 20) });
    assert.ok(lines[0]!.length < 3 * 1024 + 200);
  }
});
