import { defaultSettings } from "../../../src/config/settings.ts";
import type { EngineReport } from "../../../src/report/messages.ts";
import { detectRuntime } from "../../../src/runtime/detect.ts";
import { engineInside } from "../../../src/start/engines.ts";
import { equal, test } from "../../harness.ts";

test("engineInside says that it is ready, as a process does: one that never did would be ended", async () => {
  const startTunnel = (): Promise<never> => Promise.reject(new Error("Nothing runs here"));
  const start = engineInside({ runtime: await detectRuntime(), settings: defaultSettings, startTunnel });
  const first = Promise.withResolvers<EngineReport>();
  const link = start(first.resolve);
  equal((await first.promise).kind, "ready");
  link.kill();
  equal(await link.ended, "it was asked to");
});
