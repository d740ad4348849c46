/**
 * Tokens, join tokens, webhooks and the audit, in the OpenAPI document.
 *
 * @module
 */
import type { Json, Operation, PathItem, Schema, Section } from "../../http/openapi/types.ts";
import { EVENT_TYPES, SCOPES } from "../contract/types.ts";
import type { Scope } from "../contract/types.ts";
import { adminAnswers, answerRef, bodyAnswers, json, parameterRef, scope } from "./answers.ts";
import { answered, listOperation, nameFilter, pageSchema, recordPaths } from "./records.ts";
import { closed, described, flag, id, integer, listOf, orNull, text, time, uuid, whole, words } from "./schema.ts";

const tags = ["Access"];
const parameters = [parameterRef("Id")];
const scopes: Schema = { ...listOf(words(...SCOPES), SCOPES.length, 1), uniqueItems: true };
const createdAt = "2026-11-01T09:00:00.000Z";

const exampleToken: Json = {
  ...{ id: 2, name: "panel", scopes: ["write"], expiresAt: null, lastUsedAt: null, revokedAt: null, createdAt },
};
const exampleJoinToken: Json = {
  ...{ id: 1, name: "rollout", region: null, maxUses: 1, uses: 0 },
  ...{ expiresAt: "2026-11-01T10:00:00.000Z", revokedAt: null, createdAt },
};
const exampleWebhook: Json = {
  ...{ id: 1, url: "https://panel.example/events", types: ["user.online"], enabled: true },
  ...{ createdAt, updatedAt: createdAt },
};
const exampleEntry: Json = {
  ...{ id: 61, at: "2026-11-21T10:04:00.000Z", actor: "token:2", action: "user.create", target: "user:9" },
  ...{ ip: "203.0.113.9", requestId: "019aa6f0-2c1e-7d3a-9b52-6f0c3de41a77", details: { name: "ada" } },
};

const revoke = (operationId: string, noun: string): Operation => ({
  ...{ operationId, summary: `Revoke a ${noun}`, tags, security: scope("admin") },
  description: "It is refused from now on. The record stays, so that what it did stays explained.",
  responses: { "200": answered("It is refused.", "Ok", { ok: true }), "404": answerRef("NotFound"), ...adminAnswers },
});

const create = (
  operationId: string,
  noun: string,
  description: string,
  body: readonly [schema: string, example: Json],
  answer: readonly [schema: string, example: Json],
): Operation => ({
  ...{ operationId, summary: `Create a ${noun}`, description, tags, security: scope("admin") },
  parameters: [parameterRef("IdempotencyKey")],
  requestBody: { description: "What it may.", required: true, content: json(...body) },
  responses: {
    "200": answered("It was made: the only time that its text is seen.", ...answer),
    ...bodyAnswers,
    "409": answerRef("Conflict"),
    ...adminAnswers,
  },
});

const list = (operationId: string, many: string, needs: Scope, page: string, example: Json): Operation =>
  listOperation(
    { operationId, summary: `List ${many}`, description: `All ${many}, without their texts.`, tags },
    needs,
    page,
    example,
  );

const withMore = (example: Json, more: Readonly<Record<string, Json>>): Json => ({
  ...example as Record<string, Json>,
  ...more,
});

const tokenPaths: Readonly<Record<string, PathItem>> = {
  "/admin/tokens": {
    get: list("listTokens", "tokens", "admin", "TokenPage", exampleToken),
    post: create(
      "createToken",
      "token",
      "Each scope includes those before it: `read`, `write`, `admin`.",
      ["TokenCreate", { name: "panel", scopes: ["write"] }],
      ["TokenWithText", withMore(exampleToken, { token: "na1.Zm9vYmFyYmF6.4c1v" })],
    ),
  },
  "/admin/tokens/{id}": {
    parameters,
    get: {
      ...{ operationId: "getToken", summary: "Read a token", tags, security: scope("admin") },
      description: "Without its text.",
      responses: {
        "200": answered("The token.", "Token", exampleToken),
        "404": answerRef("NotFound"),
        ...adminAnswers,
      },
    },
    patch: {
      ...{ operationId: "changeToken", summary: "Change a token", tags, security: scope("admin") },
      description: "In effect from its next call on.",
      requestBody: {
        description: "Members that are not known are refused.",
        required: true,
        content: json("TokenChange", { scopes: ["read"] }),
      },
      responses: {
        "200": answered("As it is now.", "Token", exampleToken),
        ...bodyAnswers,
        "404": answerRef("NotFound"),
        ...adminAnswers,
      },
    },
    delete: revoke("revokeToken", "token"),
  },
  "/admin/join-tokens": {
    get: list("listJoinTokens", "join tokens", "read", "JoinTokenPage", exampleJoinToken),
    post: create(
      "createJoinToken",
      "join token",
      "For one registration within an hour where nothing else is said.",
      ["JoinTokenCreate", { name: "rollout", maxUses: 1 }],
      ["JoinTokenWithText", withMore(exampleJoinToken, { token: "nj1.example" })],
    ),
  },
  "/admin/join-tokens/{id}": { parameters, delete: revoke("revokeJoinToken", "join token") },
};

const audit: Operation = listOperation(
  {
    ...{ operationId: "listAudit", summary: "List changes", tags },
    description: "Who changed what, the latest first. Secrets are never in it.",
  },
  "admin",
  "AuditPage",
  exampleEntry,
  { target: nameFilter, actor: nameFilter },
);

const tokenRecord: Readonly<Record<string, Schema>> = {
  ...{ id, name: { type: "string" }, scopes: { type: "array", items: words(...SCOPES) } },
  ...{ expiresAt: orNull(time), lastUsedAt: orNull(time), revokedAt: orNull(time), createdAt: time },
};
const joinTokenRecord: Readonly<Record<string, Schema>> = {
  ...{ id, name: { type: ["string", "null"] }, region: { type: ["string", "null"] } },
  ...{ maxUses: integer(0), uses: integer(0), expiresAt: orNull(time), revokedAt: orNull(time), createdAt: time },
};
const tokenMembers = { name: text(1, 128), scopes, expiresAt: described(orNull(time), "Null: never.") };
const webhookRecord: Readonly<Record<string, Schema>> = {
  ...{ id, url: { type: "string" }, types: { type: "array", items: words(...EVENT_TYPES) }, enabled: flag },
  ...{ createdAt: time, updatedAt: time },
};
const webhookMembers: Readonly<Record<string, Schema>> = {
  url: {
    ...{ type: "string", maxLength: 2_048, pattern: "^https?://[^\\s]+$" },
    description: "Without name and password.",
  },
  secret: { ...text(16, 256), description: "Signs what is sent." },
  types: {
    ...listOf(words(...EVENT_TYPES), EVENT_TYPES.length),
    ...{ uniqueItems: true, description: "Without any: all." },
  },
  enabled: flag,
};
const token: Schema = { type: "string", minLength: 1, description: "Seen here and never again." };

/** Access. */
export const access: Section = {
  tag: { name: "Access", description: "Who may come in, what is told to others, and who changed what." },
  paths: {
    ...tokenPaths,
    ...recordPaths({
      ...{ path: "/admin/webhooks", tag: "Access", schema: "Webhook", example: exampleWebhook },
      noun: ["webhook", "webhooks"],
      create: { url: "https://panel.example/events", types: ["user.online"] },
      change: { enabled: false },
      created: {
        schema: "WebhookWithSecret",
        example: withMore(exampleWebhook, { secret: "c2VjcmV0LXNlY3JldC1zZWNyZXQ" }),
      },
      scopes: { create: "admin", change: "admin" },
      about: {
        create:
          "Each event is sent as a POST whose `x-nodepass-signature` is the HMAC-SHA-256 of its time and body; six tries within an hour. Private addresses are not dialled.",
        change: "A new secret counts from the next event on.",
        remove: "What still waits for it is dropped.",
      },
    }),
    "/admin/audit": { get: audit },
  },
  schemas: {
    Token: whole(tokenRecord),
    TokenWithText: whole({ ...tokenRecord, token }),
    TokenPage: pageSchema("Token"),
    TokenCreate: closed(["name", "scopes"], tokenMembers),
    TokenChange: closed([], tokenMembers),
    JoinToken: whole(joinTokenRecord),
    JoinTokenWithText: whole({ ...joinTokenRecord, token }),
    JoinTokenPage: pageSchema("JoinToken"),
    JoinTokenCreate: closed([], {
      ...{ name: orNull(text(1, 128)), maxUses: integer(1, 100_000), expiresAt: time, region: orNull(text(1, 64)) },
    }),
    Webhook: whole(webhookRecord),
    WebhookWithSecret: whole({ ...webhookRecord, secret: { ...token } }),
    WebhookPage: pageSchema("Webhook"),
    WebhookCreate: closed(["url"], webhookMembers),
    WebhookChange: closed([], webhookMembers),
    AuditEntry: whole({
      ...{ id, at: time, actor: { type: "string" }, action: { type: "string" }, target: { type: ["string", "null"] } },
      ...{
        ip: { type: ["string", "null"] },
        requestId: orNull(uuid),
        details: { type: ["object", "null"], additionalProperties: true },
      },
    }),
    AuditPage: pageSchema("AuditEntry"),
  },
};
