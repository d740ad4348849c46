/**
 * One operation on the documentation page.
 *
 * @module
 */
import { type PlacedOperation, resolve } from "../openapi/operations.ts";
import { typeText } from "./schema.ts";
import { codeBlock, escapeHtml, phrase, prose } from "./text.ts";
import type { Answer, Example, Json, MediaType, OpenApiDocument, Operation, Parameter } from "../openapi/types.ts";

/** What the calls look like that are shown. */
export interface ShownCalls {
  /** `http://host:port` of the server. */
  readonly origin: string;
  /** Whether bodies come with their content type, because the server asks for it. */
  readonly typed: boolean;
}

/** The operation as an article that opens and closes. */
export function operationDetails(document: OpenApiDocument, placed: PlacedOperation, calls: ShownCalls): string {
  const { path, method, item, operation } = placed;
  const parameters = [...item.parameters ?? [], ...operation.parameters ?? []].map((one) => resolve(document, one));
  const parts = [
    `<p class="where"><b class="${method}">${method}</b> <code>${escapeHtml(path)}</code></p>`,
    prose(operation.description),
    `<p class="key">${keyText(document, operation)}</p>`,
    parametersTable(parameters),
    bodyText(operation.requestBody?.content),
    `<h4>Call</h4>${codeBlock(curl(document, placed, parameters, calls))}`,
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

function keyText(document: OpenApiDocument, { security }: Operation): string {
  if (security?.length === 0) return "Needs no key.";
  const [name, scopes] = Object.entries((security ?? document.security)[0] ?? {})[0] ?? ["", []];
  const what = asText(document.components.securitySchemes[name]?.["x-what"]) ?? "the API key";
  return `Needs ${escapeHtml(what)}${
    scopes.map((scope) => ` with the scope <code>${escapeHtml(scope)}</code>`).join("")
  }.`;
}

/** The header of a key, for a shell. */
function keyHeader(document: OpenApiDocument, { security }: Operation): string | null {
  if (security?.length === 0) return null;
  const name = Object.keys((security ?? document.security)[0] ?? {})[0] ?? "";
  const scheme = document.components.securitySchemes[name];
  return scheme?.type === "http" ? "Authorization: Bearer $TOKEN" : `${asText(scheme?.name) ?? "X-API-Key"}: $KEY`;
}

function asText(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
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
function curl(
  document: OpenApiDocument,
  placed: PlacedOperation,
  parameters: readonly Parameter[],
  calls: ShownCalls,
): string {
  const { path, method, operation } = placed;
  const query: string[] = [];
  let place = `${document.servers[0]?.url ?? ""}${path}`.replace(/^\/\//, "/");
  for (const { name, in: where, example } of parameters) {
    if (where === "path") place = place.replace(`{${name}}`, String(example));
    if (where === "query" && example !== undefined) query.push(`${name}=${String(example)}`);
  }
  const address = `${calls.origin}${place}${query.length > 0 ? `?${query.join("&")}` : ""}`;
  const words = ["curl", ...(method === "get" ? [] : ["-X", method.toUpperCase()])];
  const header = keyHeader(document, operation);
  if (header !== null) words.push(`-H "${header}"`);
  const body = Object.values(operation.requestBody?.content["application/json"]?.examples ?? {})[0]?.value;
  if (body !== undefined) {
    if (calls.typed) words.push('-H "Content-Type: application/json"');
    words.push(`-d '${JSON.stringify(body)}'`);
  }
  return [...words, `'${address}'`].join(" ");
}
