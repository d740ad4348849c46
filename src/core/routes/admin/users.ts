/**
 * `/admin/users`: people, where they come from, what they use.
 *
 * @module
 */
import type { AdminDeps } from "../../admin/deps.ts";
import { Records } from "../../admin/records.ts";
import { eraseUserIps, listUserIps, requireUser } from "../../admin/user_addresses.ts";
import { users } from "../../admin/users.ts";
import { timeOf } from "../../admin/view.ts";
import { userChange, userCreate } from "../../contract/admin_bodies.ts";
import { digits } from "../../contract/fields.ts";
import type { CoreParts } from "../../parts.ts";
import { answerJson } from "../../request.ts";
import { type AdminRoute, answerPage, idOf, pageRequest, queryOf } from "./call.ts";
import { recordRoutes } from "./records.ts";
import { rangeOf, usageView } from "./usage.ts";

/** Routes of users and of who is online. */
export function userAdminRoutes(parts: Pick<CoreParts, "db" | "runtime">, deps: AdminDeps): AdminRoute[] {
  const { db, runtime: { clock } } = parts;
  const { composition, presence, usage } = deps;
  const records = new Records(parts, composition, users);
  return [
    ...recordRoutes({ path: "/admin/users", records, create: userCreate, change: userChange }),
    ["GET", "/admin/users/{id}/ips", "read", async (c) => answerPage(await listUserIps(db, idOf(c), pageRequest(c)))],
    ["DELETE", "/admin/users/{id}/ips", "admin", async (c, call) => {
      return answerJson({ ok: true, erased: await eraseUserIps(db, call, idOf(c), deps.eraseUserIps) });
    }],
    ["GET", "/admin/users/{id}/usage", "read", async (c) => {
      const userId = idOf(c);
      await requireUser(db, userId);
      const range = rangeOf(c, clock.wall());
      return answerJson({ userId, ...usageView(range, await usage.read({ userId }, range)) });
    }],
    ["GET", "/admin/users/{id}/online", "read", async (c) => {
      const userId = idOf(c);
      await requireUser(db, userId);
      const { online, lastSeenAt, nodeProtocolIds } = await presence.user(userId);
      return answerJson({ userId, online, lastSeenAt: timeOf(lastSeenAt), nodeProtocolIds });
    }],
    ["GET", "/admin/online", "read", async (c) => {
      const { limit, cursor } = pageRequest(c);
      const nodeProtocolId = queryOf(c, "nodeProtocolId", digits(1));
      const page = await presence.onlineUsers({ nodeProtocolId, cursor, limit });
      const items = page.users.map(({ userId, lastSeenAt }) => ({ userId, lastSeenAt: timeOf(lastSeenAt) }));
      return answerPage({ items, nextCursor: page.cursor });
    }],
  ];
}
