/**
 * `fetch` for the API of a master that fails when an answer is not what the OpenAPI document says.
 *
 * @module
 */
import { openApiDocument } from "../../src/master/openapi/document.ts";
import { DocumentCheck } from "./document_check.ts";

/** A call, as `fetch` takes it, with a body that may be a value. */
export interface ApiCall extends Omit<RequestInit, "body"> {
  /** Sent as it is when it is a string, as JSON otherwise. */
  readonly body?: unknown;
  /** Null: no key. @default the key of the API */
  readonly key?: string | null;
}

/** An API whose answers are checked. */
export interface CheckedApi {
  /** Calls the path behind the base, such as `/instances`, and checks the answer. Streams are not read. */
  (path: string, call?: ApiCall): Promise<Response>;
  /** What was answered so far: operation and status, such as `getInstance 404`. */
  readonly seen: ReadonlySet<string>;
  /** The value of the JSON answer, after a check of the status. */
  json<T>(path: string, call?: ApiCall & { readonly status?: number }): Promise<T>;
}

/**
 * An API whose answers are checked.
 *
 * @param base such as `http://127.0.0.1:9090/api/v1`
 * @param key the API key
 */
export function checkedApi(base: string, key: string): CheckedApi {
  const check = new DocumentCheck(openApiDocument(new URL(base).pathname.replace(/\/v1$/, "")));

  const seen = new Set<string>();

  const call = async (path: string, { body, key: own = key, ...init }: ApiCall = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    if (own !== null && !headers.has("X-API-Key")) headers.set("X-API-Key", own);
    const isValue = body !== undefined && typeof body !== "string";
    if (isValue && !headers.has("Content-Type")) headers.set("Content-Type", "application/json");
    const payload = isValue ? JSON.stringify(body) : body as string | undefined;
    const response = await fetch(base + path, {
      ...init,
      headers,
      ...(payload === undefined ? {} : { body: payload }),
    });
    const isStream = response.headers.get("content-type") === "text/event-stream";
    const text = isStream ? null : await response.text();
    const method = init.method ?? "GET";
    const place = path.split("?")[0]!;
    seen.add(`${check.operationOf(method, place)} ${response.status}`);
    const problems = check.problems({ method, path: place, status: response.status, headers: response.headers, text });
    if (problems.length > 0) {
      await response.body?.cancel();
      throw new Error(`${method} ${path}: ${response.status}\n${problems.join("\n")}\n${text}`);
    }
    if (isStream) return response;
    const bodiless = response.status === 204 || response.status === 304;
    return new Response(bodiless ? null : text, { status: response.status, headers: response.headers });
  };

  const json = async <T>(path: string, { status = 200, ...rest }: ApiCall & { status?: number } = {}): Promise<T> => {
    const response = await call(path, rest);
    const text = await response.text();
    if (response.status !== status) {
      throw new Error(`${rest.method ?? "GET"} ${path}: ${response.status} instead of ${status}\n${text}`);
    }
    return JSON.parse(text) as T;
  };

  return Object.assign(call, { json, seen });
}
