/**
 * One operation on the documentation page.
 *
 * @module
 */
import { type PlacedOperation, resolve } from "../openapi/operations.ts";
import { typeText } from "./schema.ts";
import { codeBlock, escapeHtml, phrase, prose } from "./text.ts";
import type { Answer, Example, MediaType, OpenApiDocument, Parameter } from "../openapi/types.ts";

/** The operation as an article that opens and closes. */
export function operationDetails(document: OpenApiDocument, placed: PlacedOperation): string {
  const { path, method, item, operation } = placed;
  const parameters = [...item.parameters ?? [], ...operation.parameters ?? []].map((one) => resolve(document, one));
  const isPublic = operation.security?.length === 0;
  const parts = [
    `<p class="where"><b class="${method}">${method}</b> <code>${escapeHtml(path)}</code></p>`,
    prose(operation.description),
    `<p class="key">${isPublic ? "Needs no key." : "Needs the API key."}</p>`,
    parametersTable(parameters),
    bodyText(operation.requestBody?.content),
    `<h4>Call</h4>${codeBlock(curl(document, placed, parameters))}`,
    `<h4>Answers</h4><dl>${
      Object.entries(operation.responses).map(([status, answer]) => answerText(status, resolve(document, answer)))
        .join("")
    }</dl>`,
  ];
  return `<details><summary><b class="${method}">${method}</b> ` +
    `<code>${escapeHtml(path)}</code> <span>${
      escapeHtml(operation.summary)
    }</span></summary><div id="${operation.operationId}">${parts.join("")}</div></details>`;
}

function parametersTable(parameters: readonly Parameter[]): string {
  if (parameters.length === 0) return "";
  const rows = parameters.map((one) =>
    `<tr><th scope="row"><code>${escapeHtml(one.name)}</code>${
      one.required === true ? ' <span class="must">required</span>' : ""
    }</th><td>${one.in}</td><td>${typeText(one.schema)}</td><td>${phrase(one.description)}</td></tr>`
  );
  return `<h4>Parameters</h4><div class="wide"><table><thead><tr><th scope="col">Name</th><th scope="col">In</th>` +
    `<th scope="col">Type</th><th scope="col">Meaning</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

function bodyText(content: Readonly<Record<string, MediaType>> | undefined): string {
  const media = content?.["application/json"];
  if (media === undefined) return "";
  return `<h4>Body</h4><p>${typeText(media.schema)}</p>${examplesText(media.examples)}`;
}

function examplesText(examples: Readonly<Record<string, Example>> | undefined): string {
  return Object.values(examples ?? {}).map(({ summary, value }) => `<p>${escapeHtml(summary)}</p>${codeBlock(value)}`)
    .join("");
}

function answerText(status: string, answer: Answer): string {
  const media = Object.entries(answer.content ?? {}).map(([type, one]) =>
    `<p><code>${escapeHtml(type)}</code> ${typeText(one.schema)}</p>${
      isError(status) ? errorTexts(one.examples) : examplesText(one.examples)
    }`
  );
  return `<dt><code>${status}</code></dt><dd><p>${phrase(answer.description)}</p>${media.join("")}</dd>`;
}

function isError(status: string): boolean {
  return /^[45]/.test(status);
}

function errorTexts(examples: Readonly<Record<string, Example>> | undefined): string {
  const texts = Object.values(examples ?? {}).map(({ summary }) => `<li><code>${escapeHtml(summary)}</code></li>`);
  return texts.length === 0 ? "" : `<ul>${texts.join("")}</ul>`;
}

/** The call as a line for a shell. */
function curl(document: OpenApiDocument, placed: PlacedOperation, parameters: readonly Parameter[]): string {
  const { path, method, operation } = placed;
  const query: string[] = [];
  let place = `${document.servers[0]?.url ?? ""}${path}`;
  for (const { name, in: where, example } of parameters) {
    if (where === "path") place = place.replace(`{${name}}`, String(example));
    if (where === "query" && example !== undefined) query.push(`${name}=${String(example)}`);
  }
  const address = `http://127.0.0.1:9090${place}${query.length > 0 ? `?${query.join("&")}` : ""}`;
  const words = ["curl", ...(method === "get" ? [] : ["-X", method.toUpperCase()])];
  if (operation.security?.length !== 0) words.push('-H "X-API-Key: $KEY"');
  const body = Object.values(operation.requestBody?.content["application/json"]?.examples ?? {})[0]?.value;
  if (body !== undefined) words.push(`-d '${JSON.stringify(body)}'`);
  return [...words, `'${address}'`].join(" ");
}
