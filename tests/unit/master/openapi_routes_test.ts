import { routes } from "../../../src/master/app.ts";
import { openApiDocument } from "../../../src/master/openapi/document.ts";
import { operationsOf } from "../../../src/http/openapi/operations.ts";
import { deepEqual, test } from "../../harness.ts";

const operations = operationsOf(openApiDocument("/api"));
/** A path of the document that a route with a parameter serves, because one id is described apart. */
const SPECIAL: Readonly<Record<string, string>> = { "/instances/********": "/instances/{id}" };

const served = routes.map(({ method, path, access }) => `${method} ${path} ${access}`).sort();
const described = operations.map(({ method, path, operation }) => {
  const access = operation.security?.length === 0 ? "public" : "key";
  return `${method.toUpperCase()} ${SPECIAL[path] ?? path} ${access}`;
});

test("every route is in the OpenAPI document, with the access that it has", () => {
  deepEqual(served.filter((route) => !described.includes(route)), []);
});

test("every operation of the OpenAPI document is a route, with the access that it says", () => {
  deepEqual(described.filter((operation) => !served.includes(operation)), []);
});
