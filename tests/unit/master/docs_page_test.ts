import { styleHashesOf } from "../../../src/http/page.ts";
import { docsPage } from "../../../src/http/docs/page.ts";
import { openApiDocument } from "../../../src/master/openapi/document.ts";
import { operationsOf } from "../../../src/http/openapi/operations.ts";
import type { OpenApiDocument } from "../../../src/http/openapi/types.ts";
import { equal, ok, test } from "../../harness.ts";

const CALLS = { origin: "http://127.0.0.1:9090", typed: false };
const document = openApiDocument("/admin");
const page = docsPage(document, CALLS);

test("docsPage shows every operation and every schema", () => {
  for (const { operation, path } of operationsOf(document)) {
    ok(page.includes(`<div id="${operation.operationId}">`), operation.operationId);
    ok(page.includes(path.replaceAll("&", "&amp;")), path);
  }
  for (const name of Object.keys(document.components.schemas)) ok(page.includes(`id="schema-${name}"`), name);
});

test("docsPage: every link inside the page has a target", () => {
  const ids = new Set([...page.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]));
  const targets = [...page.matchAll(/href="#([^"]+)"/g)].map((match) => match[1]);
  ok(targets.length > 40);
  for (const target of targets) ok(ids.has(target), target);
});

test("docsPage: ids are unique and tags are balanced", () => {
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]);
  equal(new Set(ids).size, ids.length);
  for (const tag of ["details", "section", "table", "ul", "li", "dl", "dd", "pre", "code", "p", "div", "article"]) {
    equal(page.split(`<${tag}>`).length + page.split(`<${tag} `).length - 2, page.split(`</${tag}>`).length - 1, tag);
  }
});

test("docsPage calls with the prefix of this master", () => {
  ok(page.includes("http://127.0.0.1:9090/admin/v1/instances/ac881219"));
});

test("docsPage needs no script and nothing of another host", () => {
  ok(!/<script|<link|<img|<iframe|javascript:|\son\w+=|\sstyle=|@import|url\(/i.test(page));
  ok(!/(src|href)="(https?:)?\/\//.test(page));
});

test("docsPage escapes the texts of the document", () => {
  const info = { ...document.info, title: `<b>"x"</b>`, description: "`<i>`" };
  const odd: OpenApiDocument = { ...document, info };
  const text = docsPage(odd, CALLS);
  ok(!text.includes('<b>"x"') && text.includes("&lt;b&gt;&quot;x&quot;&lt;/b&gt;"));
  ok(text.includes("<code>&lt;i&gt;</code>"));
});

test("docsPage has one style, so that a policy can name its hash", async () => {
  equal((await styleHashesOf(page)).length, 1);
});
