/**
 * What a route of Core gets, and how it answers.
 *
 * @module
 */
import type { Context } from "hono";
import { ApiError } from "../http/api_error.ts";
import { readBody } from "../http/body.ts";
import type { Connection } from "../http/connection.ts";
import type { Actor } from "./admin/tokens.ts";
import { parseJson } from "./contract/json.ts";
import type { Scope } from "./contract/types.ts";
import { Failure } from "./failure.ts";
import { inflate } from "./inflate.ts";
import type { NodeCaller } from "./node_calls.ts";

/** How many times its limit a body may be once it is decompressed. */
const INFLATED_TIMES = 4;

/** What the application carries. */
export interface CoreEnv {
  Bindings: Connection;
  Variables: {
    /** Header `x-request-id` of the answer. */
    requestId: string;
    /** Where the request comes from, canonical; "" when nobody knows. */
    ip: string;
    /** Which one it is, for figures: `POST /node/usage`. */
    route?: string;
    /** The node that calls, where one proved its key. */
    caller?: NodeCaller;
    /** The administrator who calls, where one proved a token. */
    actor?: Actor;
  };
}

/** One request. */
export type CoreContext = Context<CoreEnv>;

/** One operation over HTTP. */
export interface CoreRoute {
  readonly method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** As in an OpenAPI document: `/admin/nodes/{id}`. */
  readonly path: string;
  /** Who may, as the OpenAPI document says it: everybody, nodes, or tokens with a scope. */
  readonly access: "public" | "node" | Scope;
  /** Returns when the caller may; runs before anything of the body is read. */
  admit(c: CoreContext): void | Promise<void>;
  /** Answers, or throws a {@linkcode Failure}. */
  handle(c: CoreContext): Response | Promise<Response>;
}

/**
 * The JSON value of a body, which may be compressed with gzip.
 *
 * @param limit bytes of the body as it comes; decompressed it may have four times as many
 * @throws {Failure} UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE, VALIDATION_FAILED
 */
export async function readJson(c: CoreContext, limit: number): Promise<unknown> {
  if (!isJson(c.req.header("content-type"))) {
    throw new Failure("UNSUPPORTED_MEDIA_TYPE", "Request body must be application/json in UTF-8");
  }
  const compressed = isGzip(c.req.header("content-encoding"));
  const bytes = await readBytes(c, limit);
  return parseJson(compressed ? await inflate(bytes, limit * INFLATED_TIMES) : bytes);
}

function isJson(contentType: string | undefined): boolean {
  const [type, ...parameters] = (contentType ?? "").split(";").map((part) => part.trim().toLowerCase());
  if (type !== "application/json") return false;
  return parameters.every((parameter) => !parameter.startsWith("charset=") || /^charset="?utf-?8"?$/.test(parameter));
}

function isGzip(encoding: string | undefined): boolean {
  switch (encoding?.trim().toLowerCase() ?? "") {
    case "":
    case "identity":
      return false;
    case "gzip":
    case "x-gzip":
      return true;
    default:
      throw new Failure("UNSUPPORTED_MEDIA_TYPE", "Request body may be compressed with gzip alone");
  }
}

/**
 * The bytes of a body, as they come.
 *
 * @throws {Failure} PAYLOAD_TOO_LARGE, VALIDATION_FAILED
 */
export async function readBytes(c: CoreContext, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await readBody(c.req.raw, limit);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 413) throw new Failure("PAYLOAD_TOO_LARGE", `Request body exceeds ${limit} bytes`);
    throw new Failure("VALIDATION_FAILED", "Request body ended early", {
      issues: [{ path: "", message: "expected a whole body" }],
    });
  }
}

/** JSON that nobody may keep: it may hold keys. */
export function answerJson(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { "Content-Type": "application/json", "Cache-Control": "no-store", ...headers },
  });
}
