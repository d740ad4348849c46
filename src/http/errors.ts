/**
 * From anything that was thrown to an answer: the one mapper of every HTTP interface.
 *
 * @module
 */
import { messageOf } from "../errors.ts";
import type { Logger } from "../log/types.ts";
import { ApiError } from "./api_error.ts";

/** The answer to an error. What was not thrown as an {@linkcode ApiError} is logged, and the client learns no detail. */
export function errorAnswer(error: unknown, logger: Logger): Response {
  if (error instanceof ApiError) return textAnswer(error.status, error.message, error.headers);
  logger.error("A request failed", { reason: messageOf(error) });
  return textAnswer(500, "Internal server error", {});
}

function textAnswer(status: number, text: string, headers: Readonly<Record<string, string>>): Response {
  return new Response(JSON.stringify({ error: text, message: text }), {
    status,
    headers: { "Content-Type": "application/json", ...headers },
  });
}
