/**
 * Every version of the schema, in order.
 *
 * @module
 */
import { base } from "./base.ts";
import type { Migration } from "./types.ts";

/** From the first to the latest. A version that was released is never changed: a new one follows it. */
export const migrations: readonly Migration[] = [base];
