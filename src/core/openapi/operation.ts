/**
 * Health, metrics and documentation in the OpenAPI document.
 *
 * @module
 */
import type { Operation, Section } from "../../http/openapi/types.ts";
import { adminAnswers, answerRef, headers, json, scope } from "./answers.ts";
import { words } from "./schema.ts";

const tags = ["Operation"];
const tooLarge = { "431": answerRef("HeadersTooLarge") };

const health = (operationId: string, summary: string, description: string, word: string): Operation => ({
  operationId,
  summary,
  description,
  tags,
  security: [],
  responses: {
    "200": { description: "Yes.", headers: headers(), content: json("Health", { status: word }) },
    ...tooLarge,
  },
});

const readiness = health("getReadiness", "Can it work?", "Whether the database answers.", "ready");

/** Health, metrics and documentation. */
export const operation: Section = {
  tag: { name: "Operation", description: "Health, metrics and this documentation." },
  paths: {
    "/healthz": { get: health("getHealth", "Is it alive?", "Answers as long as Core works.", "ok") },
    "/readyz": {
      get: { ...readiness, responses: { ...readiness.responses, "503": answerRef("StoreUnavailable") } },
    },
    "/metrics": {
      get: {
        operationId: "getMetrics",
        summary: "Read metrics",
        description: "Figures of Core and its fleet in the text format of Prometheus.",
        tags,
        security: scope("read"),
        responses: {
          "200": {
            description: "The metrics.",
            headers: headers(),
            content: {
              "text/plain": {
                schema: { type: "string" },
                examples: {
                  metrics: {
                    summary: "A part of them",
                    value:
                      '# TYPE core_http_requests_total counter\ncore_http_requests_total{route="POST /node/usage",status="200"} 12\n',
                  },
                },
              },
            },
          },
          ...adminAnswers,
        },
      },
    },
    "/openapi.json": {
      get: {
        operationId: "getOpenApi",
        summary: "Read this document",
        description: "The OpenAPI 3.1 document of this API.",
        tags,
        security: [],
        responses: {
          "200": { description: "The document.", headers: headers(), content: json("Document") },
          ...tooLarge,
        },
      },
    },
    "/docs": {
      get: {
        operationId: "getDocs",
        summary: "Read this document as a page",
        description: "The same document for people, without scripts.",
        tags,
        security: [],
        responses: {
          "200": {
            description: "The page.",
            headers: headers(),
            content: { "text/html": { schema: { type: "string" } } },
          },
          ...tooLarge,
        },
      },
    },
  },
  schemas: {
    Document: {
      type: "object",
      additionalProperties: true,
      description: "An OpenAPI document.",
      required: ["openapi", "info", "paths"],
      properties: {
        openapi: { type: "string", pattern: "^3\\.1\\." },
        info: { type: "object", additionalProperties: true },
        paths: { type: "object", additionalProperties: true },
      },
    },
    Health: {
      type: "object",
      additionalProperties: true,
      required: ["status"],
      properties: { status: words("ok", "ready") },
    },
  },
};
