/**
 * Calls of a Core that fail when an answer is not what its OpenAPI document says.
 *
 * @module
 */
import { openApiDocument } from "../../src/core/openapi/document.ts";
import { DocumentCheck } from "./document_check.ts";

type HeaderValues = Readonly<Record<string, string>>;

/** A Core whose answers are checked. */
export interface CoreApi {
  /** Calls as an administrator where `headers` say nothing else, and checks the answer and its status. */
  expect(status: number, method: string, path: string, body?: unknown, headers?: HeaderValues): Promise<Response>;
  /** The value of such an answer. */
  json<T>(method: string, path: string, body?: unknown, status?: number, headers?: HeaderValues): Promise<T>;
}

/** A Core whose answers are checked. */
export function coreApi(base: string, token: string): CoreApi {
  const check = new DocumentCheck(openApiDocument, { cors: false });
  const expect: CoreApi["expect"] = async (status, method, path, body, headers = {}) => {
    const response = await fetch(base + path, {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const received = { method, path: path.split("?")[0]!, status: response.status, headers: response.headers, text };
    const problems = check.problems(received);
    if (response.status !== status) problems.push(`status ${response.status} instead of ${status}`);
    if (problems.length > 0) throw new Error(`${method} ${path}\n${problems.join("\n")}\n${text}`);
    return new Response([204, 304].includes(status) ? null : text, { status, headers: response.headers });
  };
  return {
    expect,
    json: async (method, path, body, status = 200, headers = {}) =>
      await (await expect(status, method, path, body, headers)).json(),
  };
}
