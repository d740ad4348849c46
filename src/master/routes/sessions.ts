/**
 * `/instances/{id}/sessions` and `/instances/{id}/logs`: what goes on inside an instance.
 *
 * @module
 */
import { ApiError } from "../../http/api_error.ts";
import { answerJson, type Handler, instanceOf } from "../request.ts";

/** Lines that are kept per instance. */
const MAX_LINES = 500;

/** Live sessions. */
export const listSessions: Handler = async (c, parts) => {
  return answerJson(await parts.instances.sessions(instanceOf(c, parts).id));
};

/** Ends one session. */
export const endSession: Handler = async (c, parts) => {
  const { id } = instanceOf(c, parts);
  if (!await parts.instances.endSession(id, c.req.param("sid") ?? "")) throw new ApiError(404, "Session not found");
  return c.body(null, 204);
};

/** The last lines of the log. */
export const listLogs: Handler = (c, parts) => {
  const { id } = instanceOf(c, parts);
  return answerJson(parts.instances.logs(id, linesOf(c.req.query("lines") ?? "")));
};

function linesOf(text: string): number {
  if (text === "") return MAX_LINES;
  const lines = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (lines < 1 || lines > MAX_LINES) throw new ApiError(400, "Invalid number of lines");
  return lines;
}
