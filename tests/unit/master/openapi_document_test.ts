import { openApiDocument } from "../../../src/master/openapi/document.ts";
import { operationsOf, resolve } from "../../../src/http/openapi/operations.ts";
import type { Answer, MediaType, Parameter } from "../../../src/http/openapi/types.ts";
import { DocumentCheck } from "../../e2e/document_check.ts";
import { deepEqual, equal, ok, test } from "../../harness.ts";

const document = openApiDocument("/api");
const check = new DocumentCheck(document);
const operations = operationsOf(document);

test("openApiDocument names both forms of its prefix", () => {
  const urls = openApiDocument("/admin").servers.map((server) => server.url);
  deepEqual(urls, ["/admin/v1", "/admin"]);
});

test("openApiDocument: every pointer points to something", () => {
  const text = JSON.stringify(document);
  const pointers = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1]!);
  ok(pointers.length > 50);
  for (const pointer of new Set(pointers)) ok(resolve<object>(document, { $ref: pointer }) !== undefined, pointer);
});

test("openApiDocument: operation ids are unique, tags are described", () => {
  const ids = operations.map(({ operation }) => operation.operationId);
  equal(new Set(ids).size, ids.length);
  const tags = document.tags.map((tag) => tag.name);
  for (const { operation } of operations) for (const tag of operation.tags) ok(tags.includes(tag), tag);
});

test("openApiDocument: examples fit their schemas", () => {
  let examples = 0;
  const look = (place: string, content: Readonly<Record<string, MediaType>> | undefined): void => {
    for (const media of Object.values(content ?? {})) {
      for (const [name, { value }] of Object.entries(media.examples ?? {})) {
        deepEqual(check.against(media.schema, value), [], `${place} ${name}`);
        examples += 1;
      }
    }
  };
  for (const { operation } of operations) {
    look(operation.operationId, operation.requestBody?.content);
    for (const [status, answer] of Object.entries(operation.responses)) {
      look(`${operation.operationId} ${status}`, resolve<Answer>(document, answer).content);
    }
  }
  ok(examples > 80, String(examples));
});

test("openApiDocument: parameters of paths are described, and their examples fit", () => {
  for (const { path, item, operation } of operations) {
    const parameters = [...item.parameters ?? [], ...operation.parameters ?? []]
      .map((one) => resolve<Parameter>(document, one));
    const named = parameters.filter((one) => one.in === "path").map((one) => `{${one.name}}`);
    deepEqual(named, path.match(/\{\w+\}/g) ?? [], path);
    for (const one of parameters) deepEqual(check.against(one.schema, one.example), [], `${path} ${one.name}`);
  }
});

test("openApiDocument: events that are sent fit their schema", () => {
  const stream = document.paths["/events"]?.get?.responses["200"] as Answer;
  const text = stream.content?.["text/event-stream"]?.examples?.stream?.value as string;
  const data = /^data: (.+)$/m.exec(text)?.[1] ?? "";
  deepEqual(check.againstNamed("InstanceEvent", JSON.parse(data)), []);
  const shutdown = { type: "shutdown", time: "2026-11-21T03:06:09.451Z", instance: null, logs: "" };
  deepEqual(check.againstNamed("InstanceEvent", shutdown), []);
});

test("openApiDocument: only health and documentation need no key", () => {
  const open = operations.filter(({ operation }) => operation.security?.length === 0).map(({ path }) => path);
  deepEqual(open, ["/healthz", "/readyz", "/openapi.json", "/docs"]);
});

test("DocumentCheck finds what is wrong with an answer", () => {
  const headers = new Headers({ "content-type": "application/json", "access-control-allow-origin": "*" });
  const problems = (path: string, status: number, body: unknown, method = "GET"): string[] =>
    check.problems({ method, path, status, headers, text: JSON.stringify(body) });
  const error = { error: "Instance not found", message: "Instance not found" };
  deepEqual(problems("/instances/ac881219", 404, error), []);
  deepEqual(problems("/instances/ac881219", 404, { error: "x" }), ["body must have required property 'message'"]);
  deepEqual(problems("/instances/ac881219", 418, error), ["getInstance does not list status 418"]);
  deepEqual(problems("/instances/ac881219", 200, error).includes("no ETag"), true);
  deepEqual(problems("/nothing", 404, error), []);
  deepEqual(problems("/tcping", 405, error, "POST"), ["Allow does not name GET"]);
  const tcping = { target: "a:1", connected: true, latency: 1.5, error: null };
  deepEqual(problems("/tcping", 200, tcping), ["/latency must be integer"]);
});
