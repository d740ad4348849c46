/**
 * What a route of the master gets, and how it answers.
 *
 * @module
 */
import type { Context } from "hono";
import { ApiError } from "../http/api_error.ts";
import { parseJson, readBody } from "../http/body.ts";
import type { Connection } from "../http/connection.ts";
import { etagOf } from "../http/etag.ts";
import type { InstanceView } from "./instance.ts";
import type { MasterParts } from "./parts.ts";

/** What the application carries. */
export interface MasterEnv {
  Bindings: Connection;
  Variables: {
    /** The body, where it was read before the route. */
    body?: Uint8Array<ArrayBuffer>;
  };
}

/** One request. */
export type MasterContext = Context<MasterEnv>;

/** A route: answers, or throws an {@linkcode ApiError}. */
export type Handler = (c: MasterContext, parts: MasterParts) => Response | Promise<Response>;

/**
 * The JSON value of the body.
 *
 * @throws {ApiError} 400, 413
 */
export async function bodyOf(c: MasterContext): Promise<unknown> {
  return parseJson(c.get("body") ?? await readBody(c.req.raw));
}

/**
 * The instance that the path names.
 *
 * @throws {ApiError} 404
 */
export function instanceOf(c: MasterContext, { instances }: MasterParts): InstanceView {
  const instance = instances.get(c.req.param("id") ?? "");
  if (instance === null) throw new ApiError(404, "Instance not found");
  return instance;
}

/** JSON that nobody may keep: it may hold keys. */
export function answerJson(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { "Content-Type": "application/json", "Cache-Control": "no-store", ...headers },
  });
}

/** An instance with its revision. */
export function answerInstance(instance: InstanceView, { instances }: MasterParts, status = 200): Response {
  return answerJson(instance, status, { ETag: etagOf(instances.revision(instance.id)) });
}
