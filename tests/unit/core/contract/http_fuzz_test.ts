import fc from "fast-check";
import { createApp } from "../../../../src/core/app.ts";
import type { NodeService } from "../../../../src/core/node_calls.ts";
import { readCoreSettings } from "../../../../src/core/settings.ts";
import { silentLogger } from "../../../../src/log/silent.ts";
import { detectRuntime } from "../../../../src/runtime/detect.ts";
import { deepEqual, equal, ok, test } from "../../../harness.ts";
import { changed, nodeSamples } from "./samples.ts";

const calls: string[] = [];

/** A service that takes everything and notes which call it was. */
const service = new Proxy({}, {
  get: (_, name: string) => {
    return () => {
      // Asked of every report before it is read.
      if (name !== "admitUsage") calls.push(name);
      return Promise.resolve({ needSync: false, authKey: "k", nodeId: 1, corePublicKey: "p" });
    };
  },
}) as NodeService;

const app = createApp({
  runtime: await detectRuntime(),
  logger: silentLogger,
  settings: readCoreSettings(() => undefined),
  metrics: { count: () => {}, observe: () => {}, gauge: () => {}, text: () => "" },
}, {
  service,
  auth: { authenticate: () => Promise.resolve({ nodeId: 1, keyId: "k", ip: "", agentServices: [] }) },
  intervals: { of: () => ({ heartbeat: 1, stats: 1, online: 1, usage: 1 }) },
});

async function post(route: string, body: BodyInit): Promise<{ status: number; body: Record<string, unknown> }> {
  const headers = { "content-type": "application/json", "x-node-auth-key": "k" };
  const response = await app.request(route, { method: "POST", headers, body }, {});
  return { status: response.status, body: await response.json() };
}

for (const { route, valid, wrong } of nodeSamples) {
  ok(route !== null);

  test(`POST ${route}: a wrong value is a 400 with its path, and nothing is called`, async () => {
    const right = await post(route, JSON.stringify(valid));
    ok(right.status === 200 || right.status === 201, JSON.stringify(right));
    calls.length = 0;
    for (const [path, values] of Object.entries(wrong)) {
      await fc.assert(
        fc.asyncProperty(values, async (value) => {
          const json = JSON.stringify(changed(valid, path, value));
          // A body that is too long is another matter.
          if (json.length > 4_000 && path !== "entries" && path !== "message") return;
          const { status, body } = await post(route, json);
          if (status === 413) return;
          equal(status, 400, `${path} = ${JSON.stringify(value)?.slice(0, 200)}`);
          equal((body["issues"] as { path: string }[])[0]?.path, path);
          equal(body["code"], "VALIDATION_FAILED");
          equal(body["statusCode"], 400);
        }),
        { numRuns: 25 },
      );
    }
    deepEqual(calls, []);
  });

  test(`POST ${route}: bytes of any kind are a 400`, async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.jsonValue().map((value) => new TextEncoder().encode(JSON.stringify(value))),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (body) => {
        const { status } = await post(route, new Uint8Array(body));
        // `{}` is a heartbeat.
        ok(status === 400 || (status === 200 && route === "/node/heartbeat"), String(status));
      }),
      { numRuns: 60 },
    );
    for (const body of ["", "NaN", "\ufeff{}", '{"a":"\\ud800"}', "[]", "null"]) {
      equal((await post(route, body)).status, 400, body);
    }
  });
}
