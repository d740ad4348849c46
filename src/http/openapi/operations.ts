/**
 * The OpenAPI document as a list of operations.
 *
 * @module
 */
import type { Method, OpenApiDocument, Operation, PathItem, Reference } from "./types.ts";

const METHODS: readonly Method[] = ["get", "post", "put", "patch", "delete"];

/** One operation with where it is. */
export interface PlacedOperation {
  readonly path: string;
  readonly method: Method;
  readonly item: PathItem;
  readonly operation: Operation;
}

/** Every operation of a document, in its order. */
export function operationsOf(document: OpenApiDocument): PlacedOperation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation === undefined ? [] : [{ path, method, item, operation }];
    })
  );
}

/** What a pointer of the document points to; anything else as it is. */
export function resolve<T extends object>(document: OpenApiDocument, value: T | Reference): T {
  if (!("$ref" in value) || typeof value.$ref !== "string") return value as T;
  let found: unknown = document;
  for (const name of value.$ref.split("/").slice(1)) found = (found as Record<string, unknown>)[name];
  return found as T;
}
