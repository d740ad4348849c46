/**
 * The five operations that every kind of records has.
 *
 * @module
 */
import type { Answer, Json, Operation, Parameter, PathItem, Reference, Schema } from "../../http/openapi/types.ts";
import type { Scope } from "../contract/types.ts";
import { adminAnswers, answerRef, bodyAnswers, headers, json, parameterRef, ref, scope } from "./answers.ts";
import { flag, listOf, text } from "./schema.ts";

/** What differs between kinds. */
export interface RecordDocument {
  /** `/admin/users` */
  readonly path: string;
  readonly tag: string;
  /** Schema of one: `User`; `UserCreate` and `UserChange` go with it. */
  readonly schema: string;
  /** `user`, `users` */
  readonly noun: readonly [one: string, many: string];
  readonly example: Json;
  readonly create: Json;
  readonly change: Json;
  /** Query of the list besides the page. */
  readonly filters?: Readonly<Record<string, Schema>>;
  readonly scopes?: Partial<Readonly<Record<"create" | "change" | "remove" | "list", Scope>>>;
  /** More to say. */
  readonly about: { readonly create: string; readonly change: string; readonly remove: string };
  /** Schema of the answer of a creation, where it shows more than others. */
  readonly created?: { readonly schema: string; readonly example: Json };
  readonly key?: Parameter;
}

/** A query of a list. */
function filter([name, schema]: readonly [string, Schema]): Parameter {
  return { name, in: "query", description: `Only those with this \`${name}\`.`, schema };
}

/** A name as an operation has it: `nodeProtocol` to `NodeProtocol`. */
function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** `node protocols` to `NodeProtocols`. */
export function camel(words: string): string {
  return words.split(/[ -]/).map(capital).join("");
}

/** Parameters of every list. */
export const pageParameters: readonly Reference[] = [parameterRef("Limit"), parameterRef("Cursor")];

/** A page of a list. */
export function pageSchema(name: string): Schema {
  return {
    type: "object",
    required: ["items", "nextCursor"],
    additionalProperties: false,
    properties: {
      items: listOf(ref(name), 500),
      nextCursor: { type: ["string", "null"], description: "Where the next page begins; null behind the last one." },
    },
  };
}

/** It is done. */
export const okSchema: Schema = {
  type: "object",
  required: ["ok"],
  additionalProperties: false,
  properties: { ok: { ...flag, const: true } },
};

/** An answer with a body. */
export function answered(description: string, schema: string, example?: Json, ...more: readonly string[]): Answer {
  return { description, headers: headers(...more), content: json(schema, example) };
}

/** A page of a kind. */
export function listOperation(
  about: Pick<Operation, "operationId" | "summary" | "description" | "tags">,
  needs: Scope,
  page: string,
  example: Json,
  filters: Readonly<Record<string, Schema>> = {},
): Operation {
  return {
    ...about,
    security: scope(needs),
    parameters: [...pageParameters, ...Object.entries(filters).map(filter)],
    responses: {
      "200": answered("One page.", page, { items: [example], nextCursor: null }),
      "400": answerRef("Invalid"),
      ...adminAnswers,
    },
  };
}

/** The operations of one kind. */
export function recordPaths(kind: RecordDocument): Readonly<Record<string, PathItem>> {
  const { path, schema, noun: [one, many], about, scopes = {} } = kind;
  const [single, plural] = [camel(one), camel(many)];
  const tags = [kind.tag];
  const shown = (description: string): Answer => answered(description, schema, kind.example, "ETag");
  const body = (name: string, example: Json): Operation["requestBody"] => ({
    description: "Members that are not known are refused.",
    required: true,
    content: json(name, example),
  });
  const key = kind.key ?? parameterRef("Id");
  const keyName = kind.key?.name ?? "id";
  return {
    [path]: {
      get: listOperation(
        { operationId: `list${plural}`, summary: `List ${many}`, description: `All ${many}, by pages.`, tags },
        scopes.list ?? "read",
        `${schema}Page`,
        kind.example,
        kind.filters,
      ),
      post: {
        operationId: `create${single}`,
        summary: `Create a ${one}`,
        description: about.create,
        tags,
        security: scope(scopes.create ?? "write"),
        parameters: [parameterRef("IdempotencyKey")],
        requestBody: body(`${schema}Create`, kind.create)!,
        responses: {
          "200": kind.created === undefined
            ? shown("It was made.")
            : answered("It was made.", kind.created.schema, kind.created.example, "ETag"),
          ...bodyAnswers,
          "409": answerRef("Conflict"),
          ...adminAnswers,
        },
      },
    },
    [`${path}/{${keyName}}`]: {
      parameters: [key],
      get: {
        operationId: `get${single}`,
        summary: `Read a ${one}`,
        description: `One ${one}, with its revision.`,
        tags,
        security: scope("read"),
        responses: { "200": shown("The record."), "404": answerRef("NotFound"), ...adminAnswers },
      },
      patch: {
        operationId: `change${single}`,
        summary: `Change a ${one}`,
        description: about.change,
        tags,
        security: scope(scopes.change ?? "write"),
        parameters: [parameterRef("IfMatch")],
        requestBody: body(`${schema}Change`, kind.change)!,
        responses: {
          "200": shown("As it is now."),
          ...bodyAnswers,
          "404": answerRef("NotFound"),
          "409": answerRef("Conflict"),
          "412": answerRef("PreconditionFailed"),
          ...adminAnswers,
        },
      },
      delete: {
        operationId: `remove${single}`,
        summary: `Remove a ${one}`,
        description: about.remove,
        tags,
        security: scope(scopes.remove ?? scopes.change ?? "write"),
        parameters: [parameterRef("IfMatch")],
        responses: {
          "200": answered("It is gone.", "Ok", { ok: true }),
          "404": answerRef("NotFound"),
          "412": answerRef("PreconditionFailed"),
          ...adminAnswers,
        },
      },
    },
  };
}

/** A filter by a name. */
export const nameFilter: Schema = text(1, 128);
