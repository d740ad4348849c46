/** `/healthz`, `/readyz` and `/metrics`. */
import { createApp } from "../../../src/core/app.ts";
import { createAdminTokens } from "../../../src/core/admin/tokens.ts";
import { createMemoryStore } from "../../../src/core/ephemeral/memory.ts";
import { createIntervals } from "../../../src/core/nodes/intervals.ts";
import { createMetrics } from "../../../src/core/metrics.ts";
import type { CoreParts } from "../../../src/core/parts.ts";
import type { CoreEnv } from "../../../src/core/request.ts";
import { healthRoutes } from "../../../src/core/routes/health.ts";
import { deepEqual, equal, match } from "../../harness.ts";
import { stageTest } from "./node_fixture.ts";

stageTest("health: alive is public, ready asks the stores, figures need a token", async (open) => {
  const stage = await open();
  let answers = true;
  const db = new Proxy(stage.db, {
    get: (target, name) => {
      if (name === "healthy") return () => Promise.resolve(answers);
      const value = Reflect.get(target, name) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const ephemeral = createMemoryStore(stage);
  const metrics = createMetrics(stage);
  const parts: CoreParts = { ...stage.parts, db, ephemeral, metrics };
  const tokens = createAdminTokens(parts);
  const token = await tokens.ensureFirst();
  const { service, auth } = stage;
  const app = createApp(parts, {
    ...{ service, auth, intervals: createIntervals(parts) },
    routes: healthRoutes(parts, { tokens }),
  });
  const get = async (path: string, authorization = ""): Promise<{ status: number; body: string; headers: Headers }> => {
    const incoming = { socket: { remoteAddress: "198.51.100.1" }, complete: true, headers: {} };
    const request = new Request(`http://core${path}`, authorization === "" ? {} : { headers: { authorization } });
    const answer = await app.fetch(request, { incoming } as unknown as CoreEnv["Bindings"]);
    return { status: answer.status, body: await answer.text(), headers: answer.headers };
  };
  try {
    deepEqual(JSON.parse((await get("/healthz")).body), { status: "ok" });
    deepEqual(JSON.parse((await get("/readyz")).body), { status: "ready" });
    answers = false;
    equal((await get("/readyz")).status, 200, "asked once a second");
    stage.clock.advance(1_000);
    const away = await get("/readyz");
    deepEqual([away.status, JSON.parse(away.body).code, away.headers.get("retry-after")], [
      503,
      "STORE_UNAVAILABLE",
      "1",
    ]);
    equal((await get("/metrics")).status, 401);
    equal((await get("/metrics", "Bearer nt1.x.y")).status, 401);
    const figures = await get("/metrics", `Bearer ${token}`);
    equal(figures.status, 200);
    equal(figures.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    match(figures.body, /core_http_requests_total\{route="GET \/readyz",status="503"\} 1/);
  } finally {
    await ephemeral.close();
  }
});
