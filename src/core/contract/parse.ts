/**
 * From a value of JSON to a body of the contract, or to what is wrong with it.
 *
 * @module
 */
import * as v from "valibot";
import { Failure, type Issue } from "../failure.ts";
import type { Body } from "./body.ts";
import { MAX_ISSUES } from "./rows.ts";
export type { Body } from "./body.ts";

/**
 * Reads a body.
 *
 * @throws {Failure} VALIDATION_FAILED, with the path of each fault
 */
export function parseBody<T>(schema: Body<T>, value: unknown): T {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  throw invalidBody(
    result.issues.slice(0, MAX_ISSUES).map((issue) => ({
      path: v.getDotPath(issue) ?? "",
      message: issue.message,
    })),
  );
}

/** What is wrong, as an error. */
export function invalidBody(issues: readonly Issue[]): Failure {
  const [first] = issues;
  const message = first === undefined ? "Invalid request" : sentence(first);
  return new Failure("VALIDATION_FAILED", message, { issues: [...issues] });
}

function sentence({ path, message }: Issue): string {
  return path === "" ? message : `${path}: ${message}`;
}
