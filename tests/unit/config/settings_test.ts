import { defaultSettings, readSettings, settingVariables } from "../../../src/config/settings.ts";
import { NodePassError } from "../../../src/errors.ts";
import { deepEqual, equal, match, ok, test } from "../../harness.ts";

function read(values: Record<string, string>): ReturnType<typeof readSettings> {
  return readSettings((name) => values[name]);
}

function refusal(values: Record<string, string>): string {
  try {
    read(values);
  } catch (error) {
    ok(error instanceof NodePassError && error.code === "usage");
    return error.message;
  }
  throw new Error("expected a refusal");
}

test("readSettings() gives the defaults for an empty environment and for empty values", () => {
  deepEqual(read({}), defaultSettings);
  deepEqual(read(Object.fromEntries(settingVariables.map(({ name }) => [name, ""]))), defaultSettings);
});

test("readSettings() reads every kind of value", () => {
  const settings = read({
    NP_SEMAPHORE_LIMIT: "0",
    NP_REPORT_INTERVAL: "250ms",
    NP_SHUTDOWN_TIMEOUT: "0",
    NP_REQUIRE_KEY: "1",
    NP_KEY_FILE: "/run/key",
    NP_ENGINES: "0",
  });
  equal(settings.slotLimit, 0);
  equal(settings.reportIntervalMs, 250);
  equal(settings.shutdownTimeoutMs, 0);
  equal(settings.requireKey, true);
  equal(settings.keyFile, "/run/key");
  equal(settings.engines, 0);
  ok(Object.isFrozen(settings));
});

test("readSettings() names every bad value at once and what is accepted", () => {
  const bad = {
    NP_SEMAPHORE_LIMIT: "abc",
    NP_UDP_DATA_BUF_SIZE: "70000",
    NP_REPORT_INTERVAL: "0",
    NP_REQUIRE_KEY: "yes",
  };
  const lines = refusal(bad).split("\n");
  equal(lines.length, 4);
  for (const [name, value] of Object.entries(bad)) {
    ok(lines.some((line) => line.includes(name) && line.includes(`"${value}"`) && line.includes("expected")), name);
  }
});

test("readSettings() refuses a pool interval whose ends are swapped", () => {
  match(
    refusal({ NP_MIN_POOL_INTERVAL: "2s" }),
    /NP_MIN_POOL_INTERVAL is 2s: expected at most NP_MAX_POOL_INTERVAL, 1s/,
  );
});
