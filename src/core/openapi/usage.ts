/**
 * Traffic as administrators read it, in the OpenAPI document.
 *
 * @module
 */
import type { Operation, Parameter, Schema } from "../../http/openapi/types.ts";
import { adminAnswers, answerRef, ref, scope } from "./answers.ts";
import { answered } from "./records.ts";
import { bytes, flag, id, listOf, orNull, time, whole, words } from "./schema.ts";

/** `from` and `to`. */
export const rangeParameters: readonly Parameter[] = [
  { name: "from", in: "query", description: "Where it begins.", schema: time, example: "2026-11-21T00:00:00Z" },
  { name: "to", in: "query", description: "Where it ends.", schema: time, example: "2026-11-21T10:00:00Z" },
];

const step = words("minute", "hour", "day");

/** One read of traffic. */
export function usageOperation(
  operationId: string,
  summary: string,
  tags: readonly string[],
  schema: "UserUsage" | "NodeUsage",
): Operation {
  const range = { from: "2026-11-21T00:00:00.000Z", to: "2026-11-21T10:00:00.000Z", step: "hour", truncated: false };
  const row = { at: "2026-11-21T09:00:00.000Z", nodeId: 17, nodeProtocolId: 3, userId: 9, subscriptionId: 12 };
  return {
    operationId,
    summary,
    description: "The last day by the hour where nothing is said; at most 2,000 rows, the oldest ones. Raw bytes.",
    tags,
    security: scope("read"),
    parameters: [...rangeParameters, {
      ...{ name: "step", in: "query", description: "Length of a row.", example: "hour" },
      schema: { ...step, default: "hour" },
    }],
    responses: {
      "200": answered("The rows.", schema, {
        ...(schema === "UserUsage" ? { userId: 9 } : { nodeId: 17 }),
        ...range,
        items: [{ ...row, bytesUp: 1048576, bytesDown: 7340032 }],
      }),
      "400": answerRef("Invalid"),
      "404": answerRef("NotFound"),
      ...adminAnswers,
    },
  };
}

const members: Readonly<Record<string, Schema>> = {
  from: time,
  to: time,
  step,
  truncated: { ...flag, description: "Whether there are more in the range." },
  items: listOf(ref("UsageRow"), 2_000),
};

/** Schemas of traffic. */
export const usageSchemas: Readonly<Record<string, Schema>> = {
  UsageRow: whole({
    ...{ at: time, nodeId: id, nodeProtocolId: id, userId: id, subscriptionId: orNull(id) },
    ...{ bytesUp: bytes, bytesDown: bytes },
  }),
  UserUsage: whole({ userId: id, ...members }),
  NodeUsage: whole({ nodeId: id, ...members }),
};
