/**
 * Core over HTTP: all routes behind one door, and what holds for every answer.
 *
 * @module
 */
import { Hono } from "hono";
import { hasUnreadBody, remoteAddress } from "../http/connection.ts";
import { guardHeaders } from "../http/page.ts";
import { clientAddress } from "./client_address.ts";
import { errorAnswer } from "./error_answer.ts";
import { Failure } from "./failure.ts";
import { formatIntervals, type NodeAuth, type NodeService } from "./node_calls.ts";
import type { Intervals } from "./nodes/intervals.ts";
import type { CoreParts } from "./parts.ts";
import type { CoreContext, CoreEnv, CoreRoute } from "./request.ts";
import { documentRoutes } from "./routes/documents.ts";
import { nodeRoutes } from "./routes/node.ts";
import { uuidV7 } from "./uuid.ts";

/** What the application serves. */
export interface AppDeps {
  readonly service: NodeService;
  readonly auth: NodeAuth;
  readonly intervals: Pick<Intervals, "of">;
  /** Routes of others: `/admin/*`, figures, health. */
  readonly routes?: readonly CoreRoute[];
}

/** What the application needs of Core. */
export type AppParts = Pick<CoreParts, "runtime" | "logger" | "settings" | "metrics">;

/** Every route of a Core. */
export function routesOf(deps: AppDeps): readonly CoreRoute[] {
  return [...nodeRoutes(deps), ...documentRoutes, ...deps.routes ?? []];
}

/** The application of a Core. */
export function createApp(parts: AppParts, deps: AppDeps): Hono<CoreEnv> {
  const { runtime: { clock, random }, logger, settings, metrics } = parts;
  const routes = routesOf(deps);
  const app = new Hono<CoreEnv>();

  app.use(async (c, next) => {
    const startedAt = clock.now();
    const requestId = uuidV7(clock.wall(), random);
    c.set("requestId", requestId);
    c.set("ip", clientAddress(remoteAddress(c.env), c.req.header("x-forwarded-for") ?? null, settings.trustedProxies));
    await next();
    const labels = { route: c.get("route") ?? "none", status: String(c.res.status) };
    metrics.count("core_http_requests_total", 1, labels);
    metrics.observe("core_http_request_seconds", (clock.now() - startedAt) / 1000, { route: labels.route });
    if (logger.enabled("debug")) {
      const ms = Math.round(clock.now() - startedAt);
      const { method, path } = c.req;
      const { status } = c.res;
      logger.debug("Request", { request: requestId, method, path: path.slice(0, 256), status, ms, from: c.get("ip") });
    }
    // An event stream writes its own head.
    if (c.res.headers.has("x-hono-already-sent")) return;
    const { headers } = c.res;
    headers.set("x-request-id", requestId);
    for (const [name, value] of Object.entries(guardHeaders)) headers.set(name, value);
    const caller = c.get("caller");
    if (caller !== undefined) {
      headers.set("x-core-time", String(Math.round(clock.wall())));
      headers.set("x-core-intervals", formatIntervals(deps.intervals.of(caller.nodeId)));
    }
    if (c.res.status === 401) headers.set("WWW-Authenticate", challenge(c));
    if (hasUnreadBody(c.env)) headers.set("Connection", "close");
  });
  app.onError((error, c) => errorAnswer(error, c.get("requestId"), logger));
  app.notFound((c) => errorAnswer(new Failure("NOT_FOUND", "No such path"), c.get("requestId"), logger));

  for (const path of new Set(routes.map((route) => route.path))) {
    const at = path.replace(/\{(\w+)\}/g, ":$1");
    const here = routes.filter((route) => route.path === path);
    for (const route of here) {
      app.on(route.method, at, async (c) => {
        c.set("route", `${route.method} ${path}`);
        await route.admit(c);
        return await route.handle(c);
      });
    }
    app.all(at, () => {
      throw new Failure("METHOD_NOT_ALLOWED", "Method not allowed", { allow: allowed(here) });
    });
  }
  return app;
}

function allowed(here: readonly CoreRoute[]): string[] {
  const methods: string[] = here.map(({ method }) => method);
  return [...methods, ...(methods.includes("GET") ? ["HEAD"] : [])];
}

function challenge(c: CoreContext): string {
  return c.req.path.startsWith("/node/") ? 'NodeKey realm="core"' : 'Bearer realm="core"';
}
