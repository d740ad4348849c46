/**
 * `/openapi.json` and `/docs`: the description of this API, for programs and for people.
 *
 * @module
 */
import { docsPage } from "../../http/docs/page.ts";
import { pagePolicy, styleHashesOf } from "../../http/page.ts";
import { openApiDocument } from "../openapi/document.ts";
import type { CoreRoute } from "../request.ts";

/** It changes with the program alone, but whoever keeps it must notice that. */
const HEADERS: Readonly<Record<string, string>> = { "Cache-Control": "no-cache" };
const CALLS = { origin: "http://127.0.0.1:3000", typed: true };

interface Documents {
  readonly json: string;
  readonly html: string;
  readonly policy: string;
}

/** Made for whoever asks first. */
let made: Promise<Documents> | null = null;

async function makeDocuments(): Promise<Documents> {
  const html = docsPage(openApiDocument, CALLS);
  return { json: JSON.stringify(openApiDocument), html, policy: pagePolicy(await styleHashesOf(html)) };
}

function documents(): Promise<Documents> {
  made ??= makeDocuments();
  return made;
}

/** Both routes. */
export const documentRoutes: readonly CoreRoute[] = [
  {
    method: "GET",
    path: "/openapi.json",
    access: "public",
    admit: () => {},
    handle: async () => {
      const { json } = await documents();
      return new Response(json, { headers: { ...HEADERS, "Content-Type": "application/json" } });
    },
  },
  {
    method: "GET",
    path: "/docs",
    access: "public",
    admit: () => {},
    handle: async () => {
      const { html, policy } = await documents();
      const headers = { ...HEADERS, "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy };
      return new Response(html, { headers });
    },
  },
];
