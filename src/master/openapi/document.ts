/**
 * The OpenAPI 3.1 document of a master, written by hand: one file per resource beside this one.
 *
 * @module
 */
import { VERSION } from "../../version.ts";
import { errorSchema, sharedAnswers, sharedHeaders, sharedParameters } from "./answers.ts";
import { apiKey } from "./api_key.ts";
import { events } from "./events.ts";
import { info } from "./info.ts";
import { instances } from "./instances.ts";
import { operation } from "./operation.ts";
import { sessions } from "./sessions.ts";
import type { OpenApiDocument, Section } from "../../http/openapi/types.ts";

const sections: readonly Section[] = [instances, sessions, apiKey, events, info, operation];

const description = [
  "A master runs tunnels, one per instance, and this API controls them. Answers are plain objects and arrays in compact JSON, all numbers in them integers.",
  "Requests carry the API key in `X-API-Key`, or as `Authorization: Bearer`. `nodepass state key` shows it on the machine of the master.",
  'Errors are `{"error": "...", "message": "..."}`, the same text twice. A method that a path does not have is 405 with `Allow`, a path that there is not 404; every GET answers HEAD too. Bodies above 1 MiB are 413, headers above 16 KiB 431, slow requests 408.',
  "Browsers of every origin may call: `OPTIONS` needs no key.",
].join("\n\n");

/**
 * The document of a master whose routes start with `prefix`.
 *
 * @param prefix such as `/api`
 */
export function openApiDocument(prefix: string): OpenApiDocument {
  return {
    openapi: "3.1.1",
    info: {
      title: "NodePass master",
      version: VERSION,
      description,
      license: { name: "BSD-3-Clause", identifier: "BSD-3-Clause" },
    },
    servers: [
      { url: `${prefix}/v1`, description: "This master." },
      { url: prefix, description: "The same, without the version." },
    ],
    security: [{ ApiKey: [] }, { Bearer: [] }],
    tags: sections.map((section) => section.tag),
    paths: Object.assign({}, ...sections.map((section) => section.paths)),
    components: {
      securitySchemes: {
        ApiKey: { type: "apiKey", in: "header", name: "X-API-Key", description: "32 lower-case hex digits." },
        Bearer: { type: "http", scheme: "bearer", description: "The same key." },
      },
      parameters: sharedParameters,
      headers: sharedHeaders,
      responses: sharedAnswers,
      schemas: Object.assign({}, ...sections.map((section) => section.schemas), { Error: errorSchema }),
    },
  };
}
