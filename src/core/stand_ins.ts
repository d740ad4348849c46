/**
 * The simplest form of parts whose own folders are on their way; each goes when its folder is there.
 *
 * @module
 */
import type { AdminStats } from "./admin/deps.ts";
import { Failure } from "./failure.ts";
import type { NodeServiceDeps } from "./node_service.ts";

const done = (): Promise<void> => Promise.resolve();

/** Forgets what it is told. */
export function plainStats(): NodeServiceDeps["stats"] & AdminStats & { close(): Promise<void> } {
  const nothing = (): Promise<object> => Promise.reject(new Failure("NOT_FOUND", "Nothing is kept"));
  return { report: done, runtimeStatus: nothing, history: nothing, close: done };
}
