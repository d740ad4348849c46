/**
 * What many operations share: errors, headers and parameters.
 *
 * @module
 */
import type { Answer, Header, MediaType, Parameter, Reference, Schema } from "../../http/openapi/types.ts";

type ParameterName = "InstanceId" | "IfMatch";

type AnswerName =
  | "Unauthorized"
  | "TooManyFailures"
  | "HeadersTooLarge"
  | "NotFound"
  | "RequestTimeout"
  | "BodyTooLarge"
  | "PreconditionFailed"
  | "ShuttingDown"
  | "CannotSave";

/** A pointer to a schema of the document. */
export function schemaRef(name: string): { readonly $ref: string } {
  return { $ref: `#/components/schemas/${name}` };
}

/** A JSON body of a named schema. */
export function json(name: string, examples?: MediaType["examples"]): Readonly<Record<string, MediaType>> {
  return { "application/json": { schema: schemaRef(name), ...(examples === undefined ? {} : { examples }) } };
}

/** A pointer to a shared answer. */
export function answerRef(name: AnswerName): Reference {
  return { $ref: `#/components/responses/${name}` };
}

/** A pointer to a shared parameter. */
export function parameterRef(name: ParameterName): Reference {
  return { $ref: `#/components/parameters/${name}` };
}

/** An error answer of one operation: when it is given, and the texts it carries. */
export function errorAnswer(description: string, ...texts: readonly string[]): Answer {
  const examples = Object.fromEntries(texts.map((text) => [
    exampleName(text),
    { summary: text, value: { error: text, message: text } },
  ]));
  return { description, content: json("Error", examples) };
}

function exampleName(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
}

/** `ETag` on the answers that show one instance. */
export const etagHeaders: Readonly<Record<string, Reference>> = {
  ETag: { $ref: "#/components/headers/ETag" },
};

/** What every operation behind the key can answer. */
export const keyAnswers: Readonly<Record<string, Reference>> = {
  "401": { $ref: "#/components/responses/Unauthorized" },
  "429": { $ref: "#/components/responses/TooManyFailures" },
  "431": { $ref: "#/components/responses/HeadersTooLarge" },
};

/** What every operation that takes a body can answer, above `keyAnswers`. */
export const bodyAnswers: Readonly<Record<string, Reference>> = {
  "408": { $ref: "#/components/responses/RequestTimeout" },
  "413": { $ref: "#/components/responses/BodyTooLarge" },
};

/** What an operation that changes something can answer when it cannot be kept. */
export const saveAnswers: Readonly<Record<string, Reference>> = {
  "503": { $ref: "#/components/responses/ShuttingDown" },
  "507": { $ref: "#/components/responses/CannotSave" },
};

const retryAfter: Header = {
  description: "Seconds to wait.",
  required: true,
  schema: { type: "string", pattern: "^[0-9]+$" },
  example: "60",
};

/** Headers that answers point to. */
export const sharedHeaders: Readonly<Record<string, Header>> = {
  ETag: {
    description: "Revision of alias, url, restart and meta, for `If-Match`. Traffic does not change it.",
    required: true,
    schema: { type: "string", pattern: '^"[^"]+"$' },
    example: '"5f2c9a01"',
  },
};

/** Parameters that operations point to. */
export const sharedParameters: Readonly<Record<ParameterName, Parameter>> = {
  InstanceId: {
    name: "id",
    in: "path",
    description: "Id of an instance: 8 lower-case hex digits.",
    required: true,
    schema: { type: "string", pattern: "^[0-9a-f]{8}$" },
    example: "ac881219",
  },
  IfMatch: {
    name: "If-Match",
    in: "header",
    description: "Revisions (`ETag`), or `*`: the change is made only while the instance still has one of them.",
    schema: { type: "string" },
    example: "*",
  },
};

/** Answers that operations point to. */
export const sharedAnswers: Readonly<Record<AnswerName, Answer>> = {
  Unauthorized: errorAnswer(
    "No API key, or not the one of this master.",
    "Unauthorized: API key required",
    "Unauthorized: Invalid API key",
  ),
  TooManyFailures: {
    ...errorAnswer(
      "More than 10 requests of this address within a minute had no key or a wrong one. A right key is never refused.",
      "Too many failed attempts",
    ),
    headers: { "Retry-After": retryAfter },
  },
  HeadersTooLarge: { description: "Headers above 16 KiB. The answer has no JSON." },
  NotFound: errorAnswer("No instance has this id.", "Instance not found"),
  RequestTimeout: { description: "The request did not arrive within 30 seconds. The answer has no JSON." },
  BodyTooLarge: errorAnswer("The body is larger than 1 MiB.", "Request body exceeds maximum length 1048576"),
  PreconditionFailed: errorAnswer(
    "Somebody else changed the instance: it has none of the revisions of `If-Match`.",
    "Precondition failed: the instance was changed by somebody else",
  ),
  ShuttingDown: errorAnswer("The master is ending.", "Shutting down"),
  CannotSave: errorAnswer(
    "The change could not be written to the disk and was undone.",
    "Cannot save: no space left on device",
    "Cannot save the state",
  ),
};

/** Schema of every error. */
export const errorSchema: Schema = {
  type: "object",
  description: "What is wrong, for people. Both members hold the same text.",
  required: ["error", "message"],
  additionalProperties: false,
  properties: {
    error: { type: "string", minLength: 1 },
    message: { type: "string", minLength: 1 },
  },
};
