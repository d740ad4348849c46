/**
 * Pages for people: the dashboard, and the description of this API.
 *
 * @module
 */
import { pagePolicy, styleHashesOf } from "../../http/page.ts";
import { assets } from "../dashboard/assets.ts";
import { docsPage } from "../../http/docs/page.ts";
import { openApiDocument } from "../openapi/document.ts";
import type { Handler } from "../request.ts";

/** Pages change with the program alone, but browsers must notice that. */
const PAGE_HEADERS: Readonly<Record<string, string>> = { "Cache-Control": "no-cache" };
const HTML: Readonly<Record<string, string>> = { "Content-Type": "text/html; charset=utf-8" };

const CALLS = { origin: "http://127.0.0.1:9090", typed: false };

/** What is made from the document, once. */
interface Documents {
  readonly json: string;
  readonly html: string;
  readonly policy: string;
}

const made = new Map<string, Promise<Documents>>();

/** The OpenAPI document. */
export const getDocument: Handler = async (c, { config }) => {
  const { json } = await documentsOf(config.prefix);
  return c.body(json, 200, { ...PAGE_HEADERS, "Content-Type": "application/json" });
};

/** The same to read. */
export const getDocs: Handler = async (c, { config }) => {
  const { html, policy } = await documentsOf(config.prefix);
  return c.body(html, 200, { ...PAGE_HEADERS, ...HTML, "Content-Security-Policy": policy });
};

/** A file of the dashboard. */
export function dashboardFile(path: string): Handler {
  return (c) => {
    const { type, body } = assets.get(path)!;
    return c.body(body, 200, { ...PAGE_HEADERS, "Content-Type": type, "Content-Security-Policy": pagePolicy() });
  };
}

function documentsOf(prefix: string): Promise<Documents> {
  const known = made.get(prefix);
  if (known !== undefined) return known;
  const making = makeDocuments(prefix);
  made.set(prefix, making);
  return making;
}

async function makeDocuments(prefix: string): Promise<Documents> {
  const document = openApiDocument(prefix);
  const html = docsPage(document, CALLS);
  return { json: JSON.stringify(document), html, policy: pagePolicy(await styleHashesOf(html)) };
}
