/**
 * `/admin/tokens`, `/admin/join-tokens`, `/admin/webhooks` and `/admin/audit`.
 *
 * @module
 */
import { Access } from "../../admin/access.ts";
import { keepAuditShort, listAudit } from "../../admin/audit_log.ts";
import type { AdminDeps } from "../../admin/deps.ts";
import { Records } from "../../admin/records.ts";
import type { AdminTokens } from "../../admin/tokens.ts";
import { webhooks } from "../../admin/webhooks.ts";
import {
  joinTokenCreate,
  tokenChange,
  tokenCreate,
  webhookChange,
  webhookCreate,
} from "../../contract/admin_bodies.ts";
import { text } from "../../contract/fields.ts";
import type { CoreParts } from "../../parts.ts";
import { answerJson } from "../../request.ts";
import { base64Url } from "../../secret.ts";
import { type AdminRoute, answerFound, answerOk, answerPage, bodyOf, idOf, pageRequest, queryOf } from "./call.ts";
import { recordRoutes } from "./records.ts";

/** Routes of what lets in and what is told to others. */
export function accessAdminRoutes(
  parts: Pick<CoreParts, "db" | "runtime" | "jobs">,
  tokens: AdminTokens,
  { composition, joinTokens }: AdminDeps,
): AdminRoute[] {
  const { db, runtime: { random } } = parts;
  const access = new Access({ db }, tokens, joinTokens);
  const hooks = new Records(parts, composition, webhooks(parts));
  const hookRoutes = recordRoutes({
    path: "/admin/webhooks",
    records: hooks,
    create: webhookCreate,
    change: webhookChange,
    scope: "admin",
  });
  keepAuditShort(parts);
  return [
    ["GET", "/admin/tokens", "admin", async (c) => answerPage(await access.listTokens(pageRequest(c)))],
    ["POST", "/admin/tokens", "admin", async (c, call) => {
      return answerJson(await access.createToken(call, await bodyOf(c, tokenCreate)));
    }],
    ["GET", "/admin/tokens/{id}", "admin", async (c) => answerJson(await access.getToken(idOf(c)))],
    ["PATCH", "/admin/tokens/{id}", "admin", async (c, call) => {
      const id = idOf(c);
      return answerJson(await access.changeToken(call, id, await bodyOf(c, tokenChange)));
    }],
    ["DELETE", "/admin/tokens/{id}", "admin", async (c, call) => {
      await access.revokeToken(call, idOf(c));
      return answerOk();
    }],
    ["GET", "/admin/join-tokens", "read", async (c) => answerPage(await access.listJoinTokens(pageRequest(c)))],
    ["POST", "/admin/join-tokens", "admin", async (c, call) => {
      return answerJson(await access.createJoinToken(call, await bodyOf(c, joinTokenCreate)));
    }],
    ["DELETE", "/admin/join-tokens/{id}", "admin", async (c, call) => {
      await access.revokeJoinToken(call, idOf(c));
      return answerOk();
    }],
    ...hookRoutes.filter(([method]) => method !== "POST"),
    ["POST", "/admin/webhooks", "admin", async (c, call) => {
      const body = await bodyOf(c, webhookCreate);
      const secret = body.secret ?? base64Url(random.bytes(32));
      // The only time that it is seen.
      return answerFound(await hooks.create(call, { ...body, secret }), { secret });
    }],
    ["GET", "/admin/audit", "admin", async (c) => {
      const [target, actor] = [queryOf(c, "target", text(1, 128)), queryOf(c, "actor", text(1, 128))];
      const filters = { ...(target === undefined ? {} : { target }), ...(actor === undefined ? {} : { actor }) };
      return answerPage(await listAudit(db, pageRequest(c), filters));
    }],
  ];
}
