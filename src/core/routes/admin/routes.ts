/**
 * Everything below `/admin`.
 *
 * @module
 */
import type { AdminDeps } from "../../admin/deps.ts";
import { links } from "../../admin/links.ts";
import { nodeOutbounds, nodeTunnels } from "../../admin/node_parts.ts";
import { nodeProtocols } from "../../admin/node_protocols.ts";
import { Records } from "../../admin/records.ts";
import { subscriptions } from "../../admin/subscriptions.ts";
import { createAdminTokens } from "../../admin/tokens.ts";
import * as bodies from "../../contract/admin_bodies.ts";
import { uuid } from "../../contract/fields.ts";
import type { CoreParts } from "../../parts.ts";
import type { CoreRoute } from "../../request.ts";
import { accessAdminRoutes } from "./access.ts";
import { type AdminRoute, guarded } from "./call.ts";
import { nodeAdminRoutes } from "./nodes.ts";
import { recordRoutes } from "./records.ts";
import { userAdminRoutes } from "./users.ts";
export type { AdminDeps } from "../../admin/deps.ts";

/** What the routes of administrators need of Core. */
export type AdminParts = Pick<CoreParts, "runtime" | "logger" | "db" | "secret" | "jobs">;

/** The routes of administrators. */
export function adminRoutes(parts: AdminParts, deps: AdminDeps): readonly CoreRoute[] {
  const tokens = createAdminTokens(parts);
  const { composition, usage } = deps;
  const subscriptionKind = subscriptions(
    (tx, id, since) => usage.recount(tx, id, since),
    (id) => usage.forget({ subscriptionIds: [id] }),
  );
  return guarded(parts, tokens, [
    ...nodeAdminRoutes(parts, deps),
    ...userAdminRoutes(parts, deps),
    ...recordRoutes({
      path: "/admin/subscriptions",
      records: new Records(parts, composition, subscriptionKind),
      create: bodies.subscriptionCreate,
      change: bodies.subscriptionChange,
    }),
    ...recordRoutes({
      path: "/admin/links",
      records: new Records(parts, composition, links(parts)),
      create: bodies.linkCreate,
      change: bodies.linkChange,
      key: { name: "uuid", field: uuid },
    }),
    ...recordRoutes({
      path: "/admin/node-protocols",
      records: new Records(parts, composition, nodeProtocols),
      create: bodies.nodeProtocolCreate,
      change: bodies.nodeProtocolChange,
    }),
    ...recordRoutes({
      path: "/admin/node-outbounds",
      records: new Records(parts, composition, nodeOutbounds),
      create: bodies.nodeOutboundCreate,
      change: bodies.nodeOutboundChange,
    }),
    ...recordRoutes({
      path: "/admin/node-tunnels",
      records: new Records(parts, composition, nodeTunnels(parts)),
      create: bodies.nodeTunnelCreate,
      change: bodies.nodeTunnelChange,
    }),
    ...accessAdminRoutes(parts, tokens, deps),
    ["GET", "/admin/events", "read", (c) => deps.streamEvents(c)] satisfies AdminRoute,
  ]);
}
