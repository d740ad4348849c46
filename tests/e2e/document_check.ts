/**
 * Holds answers of a master or a Core against its OpenAPI document.
 *
 * @module
 */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { resolve } from "../../src/http/openapi/operations.ts";
import type {
  Answer,
  Header,
  Method,
  OpenApiDocument,
  Operation,
  PathItem,
  Schema,
} from "../../src/http/openapi/types.ts";

const SCHEMA_PLACE = "#/components/schemas/";
const METHODS: readonly string[] = ["get", "post", "put", "patch", "delete"] satisfies readonly Method[];

/** An answer that was received. */
export interface Received {
  readonly method: string;
  /** Behind the base, without query. */
  readonly path: string;
  readonly status: number;
  readonly headers: Headers;
  /** Null for a stream, which is not read. */
  readonly text: string | null;
}

/** A document that answers are held against. */
export class DocumentCheck {
  readonly #document: OpenApiDocument;
  readonly #ajv: Ajv2020;
  readonly #cors: boolean;
  readonly #compiled = new Map<string, ValidateFunction>();

  /** @param cors whether browsers of every origin may call */
  constructor(document: OpenApiDocument, { cors = true }: { readonly cors?: boolean } = {}) {
    this.#document = document;
    this.#cors = cors;
    this.#ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
    const integer = { type: "number", validate: (value: number) => Number.isSafeInteger(value) } as const;
    this.#ajv.addFormat("int32", integer).addFormat("int64", integer);
    this.#ajv.addFormat("date-time", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
    this.#ajv.addFormat("uuid", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i).addFormat("uri", /^[a-z]+:\/\/\S+$/);
    this.#ajv.addFormat("ipv4", /^\d{1,3}(\.\d{1,3}){3}$/).addFormat("ipv6", /^[0-9a-f:.]*:[0-9a-f:.]*$/i);
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      this.#ajv.addSchema(withoutPlaces(schema), `schema:${name}`);
    }
  }

  /** What is wrong with a value, in words; empty when it fits the schema. */
  against(schema: Schema, value: unknown): string[] {
    const key = JSON.stringify(schema);
    let validate = this.#compiled.get(key);
    if (validate === undefined) {
      validate = this.#ajv.compile(withoutPlaces(schema));
      this.#compiled.set(key, validate);
    }
    if (validate(value)) return [];
    return (validate.errors ?? []).map((error) => `${error.instancePath || "body"} ${error.message ?? "does not fit"}`);
  }

  /** What is wrong with the value of a named schema. */
  againstNamed(name: string, value: unknown): string[] {
    return this.against({ $ref: SCHEMA_PLACE + name }, value);
  }

  /** The operation that a call is; null when the document has none. */
  operationOf(method: string, path: string): string | null {
    const name = method.toLowerCase();
    return METHODS.includes(name) ? this.#item(path)?.[name as Method]?.operationId ?? null : null;
  }

  /** What is wrong with an answer, in words. */
  problems(received: Received): string[] {
    const method = received.method.toLowerCase();
    const open = received.headers.get("access-control-allow-origin");
    const found = open === (this.#cors ? "*" : null) ? [] : [`Access-Control-Allow-Origin is ${open}`];
    if (method === "options" && this.#cors) {
      return [...found, ...(received.text ? ["an answer to OPTIONS with a body"] : [])];
    }
    const item = this.#item(received.path);
    if (item === null) return [...found, ...this.#undocumented(received, [400, 401, 404, 429])];
    const asked = method === "head" ? "get" : method;
    const operation = METHODS.includes(asked) ? item[asked as Method] : undefined;
    if (operation !== undefined) return [...found, ...this.#documented(operation, received)];
    const allow = (received.headers.get("allow") ?? "").split(/, */);
    const missing = METHODS.filter((name) => item[name as Method] && !allow.includes(name.toUpperCase()));
    if (received.status === 405 && missing.length > 0) {
      found.push(`Allow does not name ${missing.join(" ").toUpperCase()}`);
    }
    return [...found, ...this.#undocumented(received, [401, 405, 429])];
  }

  #item(path: string): PathItem | null {
    const parts = path.split("/");
    const fits = (template: string): boolean => {
      const names = template.split("/");
      return names.length === parts.length &&
        names.every((name, at) => name === parts[at] || (name.startsWith("{") && parts[at] !== ""));
    };
    const template = Object.entries(this.#document.paths).find(([name]) => fits(name))?.[1] ?? null;
    const literal = this.#document.paths[path];
    // One id is described apart; what is said of all holds for it too.
    return literal === undefined ? template : { ...template, ...literal };
  }

  /** An answer that no operation lists: one of a few statuses, with the error every answer has. */
  #undocumented(received: Received, statuses: readonly number[]): string[] {
    if (!statuses.includes(received.status)) return [`status ${received.status} instead of ${statuses.join(" ")}`];
    return received.method === "HEAD" ? [] : this.#jsonProblems({ $ref: `${SCHEMA_PLACE}Error` }, received);
  }

  #documented(operation: Operation, received: Received): string[] {
    const listed = operation.responses[String(received.status)];
    if (listed === undefined) return [`${operation.operationId} does not list status ${received.status}`];
    const answer: Answer = resolve<Answer>(this.#document, listed);
    const found = this.#headerProblems(answer, received.headers);
    if (received.method === "HEAD") return [...found, ...(received.text ? ["an answer to HEAD with a body"] : [])];
    const types = Object.keys(answer.content ?? {});
    const type = received.headers.get("content-type") ?? "";
    if (types.length === 0) return received.text ? [...found, `a body of type "${type}" where none is listed`] : found;
    const media = Object.entries(answer.content ?? {}).find(([name]) => type === name || type.startsWith(`${name};`));
    if (media === undefined) return [...found, `type "${type}" instead of ${types.join(" or ")}`];
    if (media[0] !== "application/json") return found;
    return [...found, ...this.#jsonProblems(media[1].schema, received)];
  }

  #headerProblems(answer: Answer, headers: Headers): string[] {
    return Object.entries(answer.headers ?? {}).flatMap(([name, listed]) => {
      const header: Header = resolve<Header>(this.#document, listed);
      const value = headers.get(name);
      if (value === null) return header.required === true ? [`no ${name}`] : [];
      return this.against(header.schema, value).map((problem) => `${name}: ${problem}`);
    });
  }

  #jsonProblems(schema: Schema, { headers, text }: Received): string[] {
    const type = headers.get("content-type");
    if (type !== "application/json") return [`type "${type}" instead of application/json`];
    let value: unknown;
    try {
      value = JSON.parse(text ?? "");
    } catch {
      return [`a body that is not JSON: ${text}`];
    }
    const compact = JSON.stringify(value) === text ? [] : ["JSON with spaces in it"];
    return [...compact, ...this.against(schema, value)];
  }
}

/** The schema with names of its own, so that strict checks see schemas alone. */
function withoutPlaces(schema: Schema): Schema {
  return JSON.parse(JSON.stringify(schema).replaceAll(SCHEMA_PLACE, "schema:"));
}
