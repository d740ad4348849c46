/**
 * What many operations share: errors, headers and parameters.
 *
 * @module
 */
import type { Answer, Header, Json, MediaType, Parameter, Reference, Schema } from "../../http/openapi/types.ts";
import type { Scope } from "../contract/types.ts";
import type { FailureCode } from "../failure.ts";
import { httpStatus, reasonPhrase } from "../http_status.ts";
import { integer, listOf, text } from "./schema.ts";

/** A pointer to a schema of the document. */
export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/** A JSON body of a named schema, with an example. */
export function json(name: string, example?: Json, summary = "An example"): Readonly<Record<string, MediaType>> {
  const examples = example === undefined ? {} : { examples: { example: { summary, value: example } } };
  return { "application/json": { schema: ref(name), ...examples } };
}

const requestId: Header = {
  description: "Names this request in the log and in the audit.",
  required: true,
  schema: { type: "string", format: "uuid" },
};
const retryAfter: Header = {
  description: "Seconds to wait.",
  required: true,
  schema: { type: "string", pattern: "^[0-9]+$" },
  example: "60",
};

type HeaderName = "RequestId" | "CoreTime" | "CoreIntervals" | "ETag" | "RetryAfter" | "ReportNext" | "PublicKey";

/** Headers that answers point to. */
export const sharedHeaders: Readonly<Record<HeaderName, Header>> = {
  RequestId: requestId,
  RetryAfter: retryAfter,
  CoreTime: {
    description: "The clock of Core, UTC milliseconds.",
    required: true,
    schema: { type: "string", pattern: "^[0-9]+$" },
    example: "1795256640000",
  },
  CoreIntervals: {
    description: "How often the node is to call, in milliseconds.",
    required: true,
    schema: { type: "string", pattern: "^[a-z]+=[0-9]+(,[a-z]+=[0-9]+)*$" },
    example: "hb=10000,stats=2000,online=5000,usage=60000",
  },
  ETag: {
    description: "The revision of the record, for `If-Match`. Counters do not change it.",
    required: true,
    schema: { type: "string", pattern: '^"[^"]+"$' },
    example: '"5f2c9a01"',
  },
  ReportNext: {
    description: "With `SEQ_GAP`: the number of the report that is expected.",
    schema: { type: "string", pattern: "^[0-9]+$" },
    example: "3",
  },
  PublicKey: {
    description: "The Ed25519 key of Core: calls to the agent are signed with it.",
    required: true,
    schema: { type: "string", minLength: 1 },
    example: "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=",
  },
};

/** Pointers to headers, by the names that they have on the wire. */
const WIRE: Readonly<Record<string, HeaderName>> = {
  "x-request-id": "RequestId",
  "x-core-time": "CoreTime",
  "x-core-intervals": "CoreIntervals",
  "ETag": "ETag",
  "x-report-next": "ReportNext",
  "x-core-public-key": "PublicKey",
  "Retry-After": "RetryAfter",
};

/** Headers of an answer. */
export function headers(...names: readonly string[]): Readonly<Record<string, Reference>> {
  return Object.fromEntries(
    ["x-request-id", ...names].map((name) => [name, { $ref: `#/components/headers/${WIRE[name]}` }]),
  );
}

/** A refusal as it is answered. */
export function refusal(code: FailureCode, message: string, more: Readonly<Record<string, Json>> = {}): Json {
  const statusCode = httpStatus(code);
  return {
    ...{ statusCode, error: reasonPhrase(statusCode), message, code },
    ...more,
    requestId: "019aa6f0-2c1e-7d3a-9b52-6f0c3de41a77",
  };
}

/** An error answer: when it is given, and how it looks. */
export function errorAnswer(
  description: string,
  examples: Readonly<Record<string, Json>>,
  ...more: readonly string[]
): Answer {
  const named = Object.entries(examples).map(([summary, value], at) => [`case-${at + 1}`, { summary, value }] as const);
  return {
    description,
    headers: headers(...more),
    content: { "application/json": { schema: ref("Error"), examples: Object.fromEntries(named) } },
  };
}

const error = (code: FailureCode, message: string, more: Readonly<Record<string, Json>> = {}) => ({
  [message]: refusal(code, message, more),
});

const expected = "expected an integer >= 0";

type AnswerName =
  | "Invalid"
  | "NodeKeyWrong"
  | "TokenWrong"
  | "NodeRefused"
  | "ScopeMissing"
  | "NotFound"
  | "RequestTimeout"
  | "Conflict"
  | "PreconditionFailed"
  | "BodyTooLarge"
  | "WrongType"
  | "TooMany"
  | "HeadersTooLarge"
  | "StoreUnavailable";

/** Answers that operations point to. */
export const sharedAnswers: Readonly<Record<AnswerName, Answer>> = {
  Invalid: errorAnswer("The request does not have the shape that is asked for.", {
    "A negative number": refusal("VALIDATION_FAILED", `entries.0.bytesUp: ${expected}`, {
      issues: [{ path: "entries.0.bytesUp", message: expected }],
    }),
  }),
  NodeKeyWrong: errorAnswer("No node key, or none that is valid.", {
    ...error("AUTH_REQUIRED", "The header x-node-auth-key is missing"),
    ...error("AUTH_INVALID", "The node key is not valid"),
  }),
  TokenWrong: errorAnswer("No token, or none that is valid.", {
    ...error("AUTH_REQUIRED", "A bearer token is missing"),
    ...error("AUTH_INVALID", "The token is not valid"),
  }),
  NodeRefused: errorAnswer("The node is disabled, or waits for its approval.", {
    ...error("NODE_DISABLED", "The node is disabled"),
    ...error("NODE_PENDING", "The node waits for its approval"),
  }),
  ScopeMissing: errorAnswer("The token does not reach this far.", {
    ...error("FORBIDDEN", 'The token does not have the scope "write"'),
  }),
  NotFound: errorAnswer("There is no such record.", { ...error("NOT_FOUND", "No user 7") }),
  RequestTimeout: { description: "The request did not arrive in time. The answer has no JSON." },
  Conflict: errorAnswer("It contradicts what is there, or the `Idempotency-Key` came with another body.", {
    ...error("CONFLICT", "Idempotency-Key was used with another request body"),
  }),
  PreconditionFailed: errorAnswer("The record has none of the revisions of `If-Match`.", {
    ...error("PRECONDITION_FAILED", "It was changed meanwhile: read it again"),
  }),
  BodyTooLarge: errorAnswer("The body is too large, or becomes so when it is decompressed.", {
    ...error("PAYLOAD_TOO_LARGE", "Request body exceeds 1048576 bytes"),
  }),
  WrongType: errorAnswer("The body is no JSON, or compressed with something else than gzip.", {
    ...error("UNSUPPORTED_MEDIA_TYPE", "Request body must be application/json in UTF-8"),
  }),
  TooMany: errorAnswer("Too many calls.", {
    ...error("RATE_LIMITED", "Too many calls without a valid token"),
  }, "Retry-After"),
  HeadersTooLarge: { description: "Headers above 16 KiB. The answer has no JSON." },
  StoreUnavailable: errorAnswer("The database cannot be used. Nothing was changed: the call may be repeated.", {
    ...error("STORE_UNAVAILABLE", "The database cannot be used now, nothing was changed"),
  }, "Retry-After"),
};

/** A pointer to a shared answer. */
export function answerRef(name: AnswerName): Reference {
  return { $ref: `#/components/responses/${name}` };
}

/** What every operation of nodes can answer. */
export const nodeAnswers: Readonly<Record<string, Reference>> = {
  "401": answerRef("NodeKeyWrong"),
  "403": answerRef("NodeRefused"),
  "429": answerRef("TooMany"),
  "431": answerRef("HeadersTooLarge"),
  "503": answerRef("StoreUnavailable"),
};

/** What every operation of administrators can answer. */
export const adminAnswers: Readonly<Record<string, Reference>> = {
  "401": answerRef("TokenWrong"),
  "403": answerRef("ScopeMissing"),
  "429": answerRef("TooMany"),
  "431": answerRef("HeadersTooLarge"),
  "503": answerRef("StoreUnavailable"),
};

/** What every operation that takes a body can answer besides. */
export const bodyAnswers: Readonly<Record<string, Reference>> = {
  "400": answerRef("Invalid"),
  "408": answerRef("RequestTimeout"),
  "413": answerRef("BodyTooLarge"),
  "415": answerRef("WrongType"),
};

/** Who may: a token with a scope. */
export function scope(name: Scope): readonly Readonly<Record<string, readonly string[]>>[] {
  return [{ AdminToken: [name] }];
}

/** Who may: nodes. */
export const byNode: readonly Readonly<Record<string, readonly string[]>>[] = [{ NodeKey: [] }];

const numbered = (name: string, description: string): Parameter => ({
  ...{ name, in: "path", description, required: true },
  schema: integer(1),
  example: 17,
});

type ParameterName = "Id" | "IfMatch" | "IdempotencyKey" | "Limit" | "Cursor";

/** Parameters that operations point to. */
export const sharedParameters: Readonly<Record<ParameterName, Parameter>> = {
  Id: numbered("id", "Number of the record."),
  IfMatch: {
    name: "If-Match",
    in: "header",
    description: "Revisions (`ETag`), or `*`: the change is made only while the record still has one of them.",
    schema: { type: "string" },
    example: "*",
  },
  IdempotencyKey: {
    name: "Idempotency-Key",
    in: "header",
    description:
      "The same request with the same key again, within ten minutes, gets the first answer and does nothing.",
    schema: { type: "string", pattern: "^[!-~]{1,256}$" },
    example: "8a4f6d1c",
  },
  Limit: {
    ...{ name: "limit", in: "query", description: "Records of a page." },
    schema: { type: "integer", minimum: 1, maximum: 500, default: 100 },
    example: 100,
  },
  Cursor: {
    ...{ name: "cursor", in: "query", description: "`nextCursor` of the page before." },
    schema: text(1, 512),
  },
};

/** A pointer to a shared parameter. */
export function parameterRef(name: ParameterName): Reference {
  return { $ref: `#/components/parameters/${name}` };
}

/** The schema of every error. */
export const errorSchema: Schema = {
  type: "object",
  description: "What is wrong: `code` for programs, `message` for people.",
  required: ["statusCode", "error", "message", "code", "requestId"],
  additionalProperties: false,
  properties: {
    statusCode: integer(400, 599),
    error: { type: "string", minLength: 1, description: "The words of the status." },
    message: { type: "string", minLength: 1 },
    code: { type: "string", pattern: "^[A-Z_]+$" },
    issues: {
      ...listOf({
        type: "object",
        required: ["path", "message"],
        additionalProperties: false,
        properties: { path: { type: "string" }, message: { type: "string", minLength: 1 } },
      }, 20),
      description: "All faults of the request: where, with dots, and what was expected.",
    },
    requestId: { type: "string", format: "uuid" },
  },
};
