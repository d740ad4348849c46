/**
 * What monitors ask: alive, ready, figures; and a dial on behalf of the caller.
 *
 * @module
 */
import { ApiError } from "../../http/api_error.ts";
import { metricsText } from "../metrics.ts";
import { answerJson, type Handler } from "../request.ts";

/** Longest target of a tcping: a host name and a port. */
const MAX_TARGET = 512;

/** This process answers. */
export const getHealth: Handler = () => answerJson({ status: "ok" });

/** Whether instances can be managed. */
export const getReadiness: Handler = (_, { ready }) => {
  if (!ready()) throw new ApiError(503, "Not ready");
  return answerJson({ status: "ready" });
};

/** Figures for Prometheus. */
export const getMetrics: Handler = (c, parts) => {
  return c.body(metricsText(parts), 200, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" });
};

/** Dials once. */
export const getTcping: Handler = async (c, { tcping }) => {
  const target = c.req.query("target") ?? "";
  if (target === "") throw new ApiError(400, "Target address required");
  if (target.length > MAX_TARGET) throw new ApiError(400, `Target address exceeds maximum length ${MAX_TARGET}`);
  return answerJson(await tcping(target));
};
