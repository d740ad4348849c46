/**
 * What every route of administrators reads and answers.
 *
 * @module
 */
import { etagOf, ifMatchOf } from "../../../http/etag.ts";
import type { AdminCall } from "../../admin/call.ts";
import type { Page } from "../../admin/page.ts";
import type { Found, View } from "../../admin/records.ts";
import { type AdminTokens, reaches } from "../../admin/tokens.ts";
import type { PageQuery } from "../../contract/admin_types.ts";
import { pageQuery } from "../../contract/admin_bodies.ts";
import { digits, FAULT, type Field } from "../../contract/fields.ts";
import { type Body, invalidBody, parseBody } from "../../contract/parse.ts";
import type { Scope } from "../../contract/types.ts";
import { Failure } from "../../failure.ts";
import type { CoreParts } from "../../parts.ts";
import { answerJson, type CoreContext, type CoreRoute, readJson } from "../../request.ts";
import { Once } from "./once.ts";

/** The largest body of an administrator. */
const BODY_BYTES = 1024 * 1024;
const ID = digits(1);

/** Answers one request of an administrator who may. */
export type AdminHandler = (c: CoreContext, call: AdminCall) => Response | Promise<Response>;

/** One operation and what it needs. */
export type AdminRoute = readonly [
  method: CoreRoute["method"],
  path: string,
  scope: Scope,
  handle: AdminHandler,
];

/** Makes routes that let nobody in without a token that reaches far enough. */
export function guarded(
  { runtime: { clock } }: Pick<CoreParts, "runtime">,
  tokens: Pick<AdminTokens, "authenticate">,
  routes: readonly AdminRoute[],
): CoreRoute[] {
  const once = new Once(() => clock.now());
  return routes.map(([method, path, scope, handle]) => ({
    method,
    path,
    access: scope,
    async admit(c): Promise<void> {
      const actor = await tokens.authenticate(c.req.header("Authorization"), c.get("ip"));
      c.env.admit?.();
      if (!reaches(actor, scope)) throw new Failure("FORBIDDEN", `The token does not have the scope "${scope}"`);
      c.set("actor", actor);
    },
    async handle(c): Promise<Response> {
      const actor = c.get("actor");
      if (actor === undefined) throw new Failure("AUTH_REQUIRED", "A bearer token is missing");
      const call: AdminCall = {
        actor,
        ip: c.get("ip"),
        requestId: c.get("requestId"),
        at: Math.floor(clock.wall()),
        ifMatch: ifMatchOf(c.req.header("If-Match")),
      };
      if (method !== "POST") return await handle(c, call);
      return await once.answer(c, String(actor.tokenId), BODY_BYTES, () => handle(c, call));
    },
  }));
}

/** The body. @throws {Failure} VALIDATION_FAILED, UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE */
export async function bodyOf<T>(c: CoreContext, schema: Body<T>): Promise<T> {
  return parseBody(schema, await readJson(c, BODY_BYTES));
}

/** The page that the query asks for. @throws {Failure} VALIDATION_FAILED */
export function pageRequest(c: CoreContext): PageQuery {
  const [limit, cursor] = [c.req.query("limit"), c.req.query("cursor")];
  return parseBody(pageQuery, {
    ...(limit === undefined ? {} : { limit }),
    ...(cursor === undefined ? {} : { cursor }),
  });
}

/** One member of the query; undefined where it is absent. @throws {Failure} VALIDATION_FAILED */
export function queryOf<T>(c: CoreContext, name: string, field: Field<T>): T | undefined {
  const text = c.req.query(name);
  if (text === undefined) return undefined;
  const value = field.read(text);
  if (value === FAULT) throw invalidBody([{ path: name, message: `expected ${field.expected}` }]);
  return value;
}

/** A number in the path. What is none names nothing. @throws {Failure} NOT_FOUND */
export function idOf(c: CoreContext, name = "id"): number {
  return pathOf(c, name, ID);
}

/** A part of the path. @throws {Failure} NOT_FOUND */
export function pathOf<T>(c: CoreContext, name: string, field: Field<T>): T {
  const value = field.read(c.req.param(name));
  if (value === FAULT) throw new Failure("NOT_FOUND", "No such path");
  return value;
}

/** A record with its revision. */
export function answerFound({ view, etag }: Found, more: View = {}): Response {
  return answerJson({ ...view, ...more }, 200, { ETag: etagOf(etag) });
}

/** A page of a list. */
export function answerPage(page: Page<unknown>): Response {
  return answerJson(page);
}

/** It is done. */
export function answerOk(): Response {
  return answerJson({ ok: true });
}
