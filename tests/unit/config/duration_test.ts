import fc from "fast-check";
import {
  formatDuration,
  formatGoDuration,
  maxDurationMs,
  maxLifetimeMs,
  parseDuration,
  parseLifetime,
} from "../../../src/config/duration.ts";
import { equal, test } from "../../harness.ts";

test("parseDuration() reads Go's durations, and a bare number as seconds", () => {
  const cases: Record<string, number> = {
    "0": 0,
    "0s": 0,
    "90s": 90_000,
    "5m": 300_000,
    "1h30m": 5_400_000,
    "500ms": 500,
    "1.5s": 1500,
    "30": 30_000,
    "0.25": 250,
    ".5s": 500,
    "1h0m0s": 3_600_000,
    "5m0s": 300_000,
    "10ns": 1,
    "200µs": 1,
  };
  for (const [text, ms] of Object.entries(cases)) equal(parseDuration(text), ms, text);
});

test("parseDuration() refuses everything else", () => {
  for (const text of ["", "abc", "-1s", "5", "5 m", "s", "1d", "1e3", "Infinity", "5m3", "1h-5m", "999999h", "٣s"]) {
    equal(parseDuration(text), text === "5" ? 5000 : null, text);
  }
});

test("formatDuration() and formatGoDuration() read back as the same time", () => {
  fc.assert(fc.property(fc.nat(maxDurationMs), (ms) => {
    equal(parseDuration(formatDuration(ms)), ms);
    equal(parseDuration(formatGoDuration(ms)), ms);
  }));
  equal(formatGoDuration(300_000), "5m0s");
  equal(formatGoDuration(0), "0s");
  equal(formatDuration(5_400_000), "1h30m");
});

test("parseLifetime() reads days too, longer than a timer waits, and no bare number", () => {
  equal(parseLifetime("30d"), 30 * 86_400_000);
  equal(parseLifetime("1d12h"), 36 * 3_600_000);
  equal(parseLifetime("720h"), 720 * 3_600_000);
  equal(parseLifetime("36500d"), maxLifetimeMs);
  for (const text of ["36501d", "5", "0", "", "d", "-1d", "30 d", "30D", "Infinityd"]) {
    equal(parseLifetime(text), null, text);
  }
  for (const text of ["30d", "1d", "1d12h"]) equal(parseDuration(text), null, text);
});
