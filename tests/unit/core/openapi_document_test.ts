/** The OpenAPI document of Core: pointers, examples, and the routes and bodies that there really are. */
import * as bodies from "../../../src/core/contract/admin_bodies.ts";
import * as nodeBodies from "../../../src/core/contract/node_bodies.ts";
import { parseBody } from "../../../src/core/contract/parse.ts";
import type { Body } from "../../../src/core/contract/body.ts";
import { openApiDocument } from "../../../src/core/openapi/document.ts";
import { docsPage } from "../../../src/http/docs/page.ts";
import { operationsOf, resolve } from "../../../src/http/openapi/operations.ts";
import type { Answer, MediaType, Parameter } from "../../../src/http/openapi/types.ts";
import { DocumentCheck } from "../../e2e/document_check.ts";
import { deepEqual, equal, ok, test } from "../../harness.ts";

const document = openApiDocument;
const check = new DocumentCheck(document, { cors: false });
const operations = operationsOf(document);

test("core document: every pointer points to something, and every component is used", () => {
  const text = JSON.stringify(document);
  const pointers = new Set([...text.matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1]!));
  ok(pointers.size > 80);
  for (const pointer of pointers) ok(resolve<object>(document, { $ref: pointer }) !== undefined, pointer);
  for (const kind of ["schemas", "responses", "parameters", "headers"] as const) {
    for (const name of Object.keys(document.components[kind])) {
      ok(pointers.has(`#/components/${kind}/${name}`), `${kind}/${name} is not used`);
    }
  }
});

test("core document: operation ids are unique, tags are described", () => {
  const ids = operations.map(({ operation }) => operation.operationId);
  equal(new Set(ids).size, ids.length);
  const tags = document.tags.map((tag) => tag.name);
  for (const { operation } of operations) for (const tag of operation.tags) ok(tags.includes(tag), tag);
});

test("core document: examples fit their schemas", () => {
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
  ok(examples > 200, String(examples));
});

test("core document: every body has an example, and Core reads it", () => {
  const known: Readonly<Record<string, Body<unknown>>> = { ...bodies, ...nodeBodies } as never;
  const nodeSchemas: Readonly<Record<string, string>> = {
    ...{ Registration: "registerBody", Heartbeat: "heartbeatBody", UsageReport: "usageBody" },
    ...{ OutboundUsageReport: "outboundUsageBody", SessionEventsReport: "sessionEventsBody" },
    ...{ ConfigApplied: "configAppliedBody", NodeErrorReport: "nodeErrorBody" },
  };
  for (const { operation } of operations) {
    const media = operation.requestBody?.content["application/json"];
    if (media === undefined) continue;
    const schema = String(media.schema.$ref).split("/").at(-1) ?? "";
    const body = known[nodeSchemas[schema] ?? schema.charAt(0).toLowerCase() + schema.slice(1)];
    ok(body !== undefined, `no body for ${schema}`);
    const example = Object.values(media.examples ?? {})[0]?.value;
    ok(example !== undefined, operation.operationId);
    parseBody(body, example);
  }
});

test("core document: parameters of paths are described, and examples fit", () => {
  for (const { path, item, operation } of operations) {
    const parameters = [...item.parameters ?? [], ...operation.parameters ?? []]
      .map((one) => resolve<Parameter>(document, one));
    const named = parameters.filter((one) => one.in === "path").map((one) => `{${one.name}}`);
    deepEqual(named, path.match(/\{\w+\}/g) ?? [], path);
    for (const one of parameters) {
      if (one.example !== undefined) deepEqual(check.against(one.schema, one.example), [], `${path} ${one.name}`);
    }
  }
});

test("core document: the page shows every operation, and needs nothing of another host", () => {
  const page = docsPage(document, { origin: "http://127.0.0.1:3000", typed: true });
  for (const { operation } of operations) {
    ok(page.includes(`<div id="${operation.operationId}">`), operation.operationId);
  }
  const targets = [...page.matchAll(/href="#([^"]+)"/g)].map((match) => match[1]);
  const ids = new Set([...page.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]));
  for (const target of targets) ok(ids.has(target), target);
  equal(/<script|src=|@import|url\(/.test(page), false);
  ok(page.includes("Needs a token with the scope <code>admin</code>."));
  ok(page.includes("Authorization: Bearer $TOKEN"));
});
