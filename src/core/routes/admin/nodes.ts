/**
 * `/admin/nodes`: nodes, their keys, their configurations, how they are.
 *
 * @module
 */
import { type AdminDeps, STATS_STEPS } from "../../admin/deps.ts";
import { AdminNodes } from "../../admin/nodes.ts";
import { nodeChange, nodeCreate, rollback } from "../../contract/admin_bodies.ts";
import { digits, oneOf, time } from "../../contract/fields.ts";
import { Failure } from "../../failure.ts";
import type { CoreParts } from "../../parts.ts";
import { answerJson } from "../../request.ts";
import { type AdminRoute, answerFound, bodyOf, idOf, pathOf, queryOf } from "./call.ts";
import { rangeOf, usageView } from "./usage.ts";
import { recordRoutes } from "./records.ts";

const HOUR_MS = 3_600_000;

/** Routes of nodes. */
export function nodeAdminRoutes(
  parts: Pick<CoreParts, "db" | "runtime">,
  { composition, auth, stats, usage }: AdminDeps,
): AdminRoute[] {
  const { db, runtime: { clock } } = parts;
  const nodes = new AdminNodes({ db }, { composition, auth, changed: (id) => usage.forget({ nodeIds: [id] }) });
  const crud = recordRoutes({ path: "/admin/nodes", records: nodes.records, create: nodeCreate, change: nodeChange });
  const plain = crud.filter(([method]) => method === "GET" || method === "PATCH");
  const remove = crud.filter(([method]) => method === "DELETE");
  return [
    ...plain,
    ...remove.map(([method, path, , handle]): AdminRoute => [method, path, "admin", handle]),
    ["POST", "/admin/nodes", "admin", async (c, call) => {
      const { authKey, ...made } = await nodes.create(call, await bodyOf(c, nodeCreate));
      return answerFound(made, { authKey });
    }],
    ["POST", "/admin/nodes/{id}/approve", "admin", async (c, call) => answerFound(await nodes.approve(call, idOf(c)))],
    ["POST", "/admin/nodes/{id}/disable", "admin", async (c, call) => answerFound(await nodes.disable(call, idOf(c)))],
    ["POST", "/admin/nodes/{id}/enable", "admin", async (c, call) => answerFound(await nodes.enable(call, idOf(c)))],
    ["POST", "/admin/nodes/{id}/reenrol", "admin", async (c, call) => answerFound(await nodes.reenrol(call, idOf(c)))],
    ["POST", "/admin/nodes/{id}/rotate-key", "admin", async (c, call) => {
      const id = idOf(c);
      return answerJson({ nodeId: id, authKey: await nodes.rotateKey(call, id) });
    }],
    ["POST", "/admin/nodes/{id}/resync", "write", async (c, call) => {
      const id = idOf(c);
      return answerJson({ nodeId: id, revision: await nodes.resync(call, id) });
    }],
    ["GET", "/admin/nodes/{id}/config/revisions", "read", async (c) => {
      const id = idOf(c);
      await nodes.records.get(id);
      const items = (await composition.revisions(id)).map(revisionView);
      return answerJson({ items, nextCursor: null });
    }],
    ["GET", "/admin/nodes/{id}/config/revisions/{rev}", "read", async (c) => {
      const [id, rev] = [idOf(c), pathOf(c, "rev", digits(0))];
      const found = await composition.revision(id, rev);
      if (found === null) throw new Failure("NOT_FOUND", `No revision ${rev} of node ${id}`);
      return answerJson({ ...revisionView(found), config: found.config });
    }],
    ["POST", "/admin/nodes/{id}/config/rollback", "write", async (c, call) => {
      const id = idOf(c);
      const { revision } = await bodyOf(c, rollback);
      return answerJson({ nodeId: id, revision: await nodes.rollback(call, id, revision) });
    }],
    ["GET", "/admin/nodes/{id}/usage", "read", async (c) => {
      const id = idOf(c);
      await nodes.records.get(id);
      const range = rangeOf(c, clock.wall());
      return answerJson({ nodeId: id, ...usageView(range, await usage.read({ nodeId: id }, range)) });
    }],
    ["GET", "/admin/nodes/{id}/runtime-status", "read", async (c) => {
      const fromNode = queryOf(c, "fromNode", oneOf(["true", "false"])) === "true";
      return answerJson(await stats.runtimeStatus(idOf(c), fromNode));
    }],
    ["GET", "/admin/nodes/{id}/stats-history", "read", async (c) => {
      const to = queryOf(c, "to", time) ?? Math.floor(clock.wall());
      const from = queryOf(c, "from", time) ?? to - HOUR_MS;
      return answerJson(await stats.history(idOf(c), from, to, queryOf(c, "step", oneOf(STATS_STEPS)) ?? "1m"));
    }],
  ];
}

function revisionView(
  { revision, hash, reason, createdAt }: { revision: number; hash: string; reason: string; createdAt: number },
): object {
  return { revision, hash, reason, createdAt: new Date(createdAt).toISOString() };
}
