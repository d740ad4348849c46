/**
 * Makes what answers calls, from the parts.
 *
 * @module
 */
import type { Hono } from "hono";
import { answerEvents } from "../http/sse.ts";
import { type AdminTokens, createAdminTokens } from "./admin/tokens.ts";
import { createApp, routesOf } from "./app.ts";
import type { Closing } from "./closing.ts";
import { createComposition } from "./composition/composition.ts";
import { createEventFeed, type EventFeed } from "./events/feed.ts";
import { startWebhooks } from "./events/webhooks.ts";
import { Failure } from "./failure.ts";
import { startIpInfo } from "./ip_info/ip_info.ts";
import { createJoinTokens, type JoinTokens } from "./node_auth/join_tokens.ts";
import { type CoreNodeAuth, createNodeAuth } from "./node_auth/node_auth.ts";
import { type CoreNodeService, createNodeService } from "./node_service.ts";
import { createIntervals, type Intervals } from "./nodes/intervals.ts";
import type { CoreParts } from "./parts.ts";
import { createPresence } from "./presence/presence.ts";
import { eraseUserIps } from "./presence/retention.ts";
import type { CoreEnv, CoreRoute } from "./request.ts";
import { adminRoutes } from "./routes/admin/routes.ts";
import { healthRoutes } from "./routes/health.ts";
import { createStats } from "./stats/stats.ts";
import { createUsage } from "./usage/usage.ts";

/** What answers calls. */
export interface CoreServices {
  readonly app: Hono<CoreEnv>;
  /** What the application serves. */
  readonly routes: readonly CoreRoute[];
  readonly node: CoreNodeService;
  readonly auth: CoreNodeAuth;
  readonly intervals: Intervals;
  readonly joinTokens: JoinTokens;
  readonly adminTokens: AdminTokens;
  readonly feed: EventFeed;
}

/** Makes them, in the order in which they need each other. */
export async function createServices(parts: CoreParts, closing: Closing): Promise<CoreServices> {
  const intervals = createIntervals(parts);
  await intervals.count();
  const composition = createComposition(parts);
  closing.add("composition", () => composition.close());
  const usage = createUsage(parts, { composition });
  closing.add("usage", () => usage.close());
  const presence = createPresence(parts);
  await presence.seed();
  closing.add("presence", () => presence.close());
  const stats = createStats(parts, { intervals });
  closing.add("stats", () => stats.close());
  const feed = createEventFeed(parts);
  startWebhooks(parts);
  await startIpInfo(parts);
  const auth = createNodeAuth(parts);
  const joinTokens = createJoinTokens(parts);
  const adminTokens = createAdminTokens(parts);
  const node = createNodeService(parts, { auth, composition, usage, presence, stats });
  closing.add("node service", () => node.close());
  const routes = adminRoutes(parts, {
    ...{ composition, auth, joinTokens, usage, presence, stats },
    eraseUserIps: async (tx, userId) => {
      const erased = await eraseUserIps(tx, userId);
      presence.forget(userId);
      return erased;
    },
    streamEvents: (c) => {
      if (feed.full) throw new Failure("RATE_LIMITED", "Too many readers of events", { retryAfterMs: 5_000 });
      return answerEvents(c, (stream, lastEventId) => feed.attach(stream, lastEventId));
    },
  });
  const health = healthRoutes(parts, { tokens: adminTokens });
  const deps = { service: node, auth, intervals, routes: [...routes, ...health] };
  const app = createApp(parts, deps);
  return { app, routes: routesOf(deps), node, auth, intervals, joinTokens, adminTokens, feed };
}
