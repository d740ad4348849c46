/**
 * The OpenAPI 3.1 document of Core, written by hand: one file per resource beside this one.
 *
 * @module
 */
import { VERSION } from "../../version.ts";
import type { OpenApiDocument, Section } from "../../http/openapi/types.ts";
import { access } from "./access.ts";
import { errorSchema, sharedAnswers, sharedHeaders, sharedParameters } from "./answers.ts";
import { assignments } from "./assignments.ts";
import { events } from "./events.ts";
import { nodeCalls } from "./node.ts";
import { nodes } from "./nodes.ts";
import { operation } from "./operation.ts";
import { okSchema } from "./records.ts";
import { users } from "./users.ts";

const sections: readonly Section[] = [nodeCalls, nodes, users, assignments, access, events, operation];

const description = [
  "Core looks after a fleet: nodes call `/node`, administrators call `/admin`. Answers are JSON; a success is 200, of a registration 201.",
  "Administrators send `Authorization: Bearer` with a token; each scope includes those before it: `read`, `write`, `admin`. The first token is printed at the first start, `nodepass core token create` makes more. Nodes send `x-node-auth-key`.",
  "Every error has the same body: `code` for programs, `message` for people, `issues` with all faults of a request. A method that a path does not have is 405 with `Allow`, a path that there is not 404; every GET answers HEAD too. Where the database cannot be used the answer is 503 and nothing was changed.",
  'Bodies are JSON in UTF-8 and may be compressed with gzip. Nothing is coerced: `"5"` is no number. Totals above 2^53-1 come as decimal text. Times are ISO-8601 with `Z` or an offset.',
].join("\n\n");

/** The document of Core. */
export const openApiDocument: OpenApiDocument = {
  openapi: "3.1.1",
  info: {
    title: "NodePass Core",
    version: VERSION,
    description,
    license: { name: "BSD-3-Clause", identifier: "BSD-3-Clause" },
  },
  servers: [{ url: "/", description: "This Core." }],
  security: [{ AdminToken: [] }],
  tags: sections.map((section) => section.tag),
  paths: Object.assign({}, ...sections.map((section) => section.paths)),
  components: {
    securitySchemes: {
      AdminToken: {
        ...{ type: "http", scheme: "bearer", "x-what": "a token" },
        description: "`na1.<id>.<secret>`, with scopes.",
      },
      NodeKey: {
        ...{ type: "apiKey", in: "header", name: "x-node-auth-key", "x-what": "the key of a node" },
        description: "`nk1.<id>.<secret>`, from the registration.",
      },
    },
    parameters: sharedParameters,
    headers: sharedHeaders,
    responses: sharedAnswers,
    schemas: Object.assign({}, ...sections.map((section) => section.schemas), { Ok: okSchema, Error: errorSchema }),
  },
};
