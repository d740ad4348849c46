/**
 * The API of a master: its routes on one screen, and what holds for all of them.
 *
 * @module
 */
import { Hono } from "hono";
import { ApiError } from "../http/api_error.ts";
import { readBody } from "../http/body.ts";
import { hasUnreadBody, remoteAddress } from "../http/connection.ts";
import { corsHeaders } from "../http/cors.ts";
import { errorAnswer } from "../http/errors.ts";
import { Idempotency } from "../http/idempotency.ts";
import { KeyCheck } from "../http/key_check.ts";
import { guardHeaders } from "../http/page.ts";
import { assets } from "./dashboard/assets.ts";
import type { MasterParts } from "./parts.ts";
import type { Handler, MasterContext, MasterEnv } from "./request.ts";
import { streamEvents } from "./routes/events.ts";
import { changeInfo, getInfo } from "./routes/info.ts";
import {
  changeInstance,
  createInstance,
  getInstance,
  listInstances,
  missingId,
  removeInstance,
  replaceInstance,
} from "./routes/instances.ts";
import { dashboardFile, getDocs, getDocument } from "./routes/pages.ts";
import { getHealth, getMetrics, getReadiness, getTcping } from "./routes/service.ts";
import { endSession, listLogs, listSessions } from "./routes/sessions.ts";

/** One operation of the API. */
export interface Route {
  readonly method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** Below the prefix, as in an OpenAPI document. */
  readonly path: string;
  readonly access: "key" | "public";
  readonly handle: Handler;
}

/** Every operation of the API, served below `{prefix}/v1` and `{prefix}`. */
export const routes: readonly Route[] = [
  { method: "GET", path: "/instances", access: "key", handle: listInstances },
  { method: "POST", path: "/instances", access: "key", handle: createInstance },
  { method: "GET", path: "/instances/{id}", access: "key", handle: getInstance },
  { method: "PATCH", path: "/instances/{id}", access: "key", handle: changeInstance },
  { method: "PUT", path: "/instances/{id}", access: "key", handle: replaceInstance },
  { method: "DELETE", path: "/instances/{id}", access: "key", handle: removeInstance },
  { method: "GET", path: "/instances/{id}/sessions", access: "key", handle: listSessions },
  { method: "DELETE", path: "/instances/{id}/sessions/{sid}", access: "key", handle: endSession },
  { method: "GET", path: "/instances/{id}/logs", access: "key", handle: listLogs },
  { method: "GET", path: "/events", access: "key", handle: streamEvents },
  { method: "GET", path: "/info", access: "key", handle: getInfo },
  { method: "POST", path: "/info", access: "key", handle: changeInfo },
  { method: "GET", path: "/tcping", access: "key", handle: getTcping },
  { method: "GET", path: "/metrics", access: "key", handle: getMetrics },
  { method: "GET", path: "/openapi.json", access: "public", handle: getDocument },
  { method: "GET", path: "/docs", access: "public", handle: getDocs },
  { method: "GET", path: "/healthz", access: "public", handle: getHealth },
  { method: "GET", path: "/readyz", access: "public", handle: getReadiness },
];

/** The application that serves a master. */
export function createApp(parts: MasterParts): Hono<MasterEnv> {
  const { config, logger, runtime: { clock }, instances } = parts;
  const now = (): number => clock.now();
  const keys = new KeyCheck({ isKey: (text) => instances.isApiKey(text), now });
  const idempotency = new Idempotency(now);
  const app = new Hono<MasterEnv>();

  const admit = (c: MasterContext): void => {
    keys.check(c.req.raw.headers, remoteAddress(c.env));
    c.env.admit?.();
  };
  const run = async (c: MasterContext, { method, path, access, handle }: Route): Promise<Response> => {
    if (access === "key") admit(c);
    const key = method === "POST" ? c.req.header("Idempotency-Key") : undefined;
    if (key === undefined) return await handle(c, parts);
    const body = await readBody(c.req.raw);
    c.set("body", body);
    return await idempotency.answer(key, path, body, async () => await handle(c, parts));
  };

  app.use(async (c, next) => {
    const startedAt = now();
    await next();
    if (logger.enabled("debug")) {
      const { method, path } = c.req;
      const ms = Math.round(now() - startedAt);
      logger.debug("Request", {
        method,
        path: path.slice(0, 256),
        status: c.res.status,
        ms,
        from: remoteAddress(c.env),
      });
    }
    // An event stream writes its own head.
    if (c.res.headers.has("x-hono-already-sent")) return;
    for (const [name, value] of Object.entries(corsHeaders)) c.res.headers.set(name, value);
    for (const [name, value] of Object.entries(guardHeaders)) c.res.headers.set(name, value);
    if (hasUnreadBody(c.env)) c.res.headers.set("Connection", "close");
  });
  app.onError((error) => errorAnswer(error, logger));
  app.notFound(() => errorAnswer(new ApiError(404, "Not found"), logger));

  for (const prefix of [`${config.prefix}/v1`, config.prefix]) {
    for (const path of new Set(routes.map((route) => route.path))) {
      const at = `${prefix}${path.replace(/\{(\w+)\}/g, ":$1")}`;
      const here = routes.filter((route) => route.path === path);
      for (const route of here) app.on(route.method, at, (c) => run(c, route));
      app.options(at, (c) => c.body(null, 200));
      app.all(at, (c) => {
        if (here.every(({ access }) => access === "key")) admit(c);
        throw new ApiError(405, "Method not allowed", { Allow: allowed(here) });
      });
    }
    app.all(`${prefix}/instances/`, (c) => {
      admit(c);
      return missingId(c, parts);
    });
  }
  for (const path of assets.keys()) {
    const file = path === "index.html" ? "" : path;
    app.get(`${config.prefix}/${file}`, (c) => dashboardFile(path)(c, parts));
  }
  for (const path of new Set(["/", config.prefix])) app.get(path, (c) => c.redirect(`${config.prefix}/`));
  return app;
}

function allowed(here: readonly Route[]): string {
  const methods: string[] = here.map(({ method }) => method);
  return [...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"].join(", ");
}
