/**
 * The documentation page of the API: HTML made from the OpenAPI document, without a script.
 *
 * @module
 */
import { operationDetails, type ShownCalls } from "./operation.ts";
import { schemaTable } from "./schema.ts";
import { docsStyle } from "./style.ts";
import { escapeHtml, prose } from "./text.ts";
import { operationsOf } from "../openapi/operations.ts";
import type { OpenApiDocument } from "../openapi/types.ts";

/**
 * The page for a document.
 *
 * @param calls what the calls that it shows look like
 */
export function docsPage(document: OpenApiDocument, calls: ShownCalls): string {
  const operations = operationsOf(document);
  const groups = document.tags.map((tag) => ({
    ...tag,
    id: tag.name.toLowerCase().replace(/ /g, "-"),
    operations: operations.filter(({ operation }) => operation.tags.includes(tag.name)),
  }));
  const links = groups.map((group) =>
    `<li><a href="#${group.id}">${escapeHtml(group.name)}</a><ul>${
      group.operations.map(({ operation, method }) =>
        `<li><a href="#${operation.operationId}"><b class="${method}">${method}</b> ${
          escapeHtml(operation.summary)
        }</a></li>`
      ).join("")
    }</ul></li>`
  ).join("");
  const parts = groups.map((group) =>
    `<section id="${group.id}"><h2>${escapeHtml(group.name)}</h2>${prose(group.description)}${
      group.operations.map((placed) => operationDetails(document, placed, calls)).join("")
    }</section>`
  ).join("");
  const schemas = Object.entries(document.components.schemas).map(([name, schema]) =>
    `<article id="schema-${name}"><h3>${name}</h3>${schemaTable(schema)}</article>`
  ).join("");
  const title = escapeHtml(document.info.title);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}: API</title>
<style>${docsStyle}</style>
</head>
<body>
<nav aria-label="Operations"><p><a href="#top">${title}</a> ${escapeHtml(document.info.version)}</p>
<ul>${links}<li><a href="#schemas">Schemas</a></li></ul></nav>
<main id="top"><h1>${title}</h1>${prose(document.info.description)}
<p>Base: ${document.servers.map((server) => `<code>${escapeHtml(server.url)}</code>`).join(" or ")}.
The document itself: <a href="openapi.json">openapi.json</a>.</p>
${parts}
<section id="schemas"><h2>Schemas</h2>${schemas}</section>
</main>
</body>
</html>
`;
}
