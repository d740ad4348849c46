/**
 * Health, metrics and documentation in the OpenAPI document.
 *
 * @module
 */
import { answerRef, errorAnswer, json, keyAnswers } from "./answers.ts";
import type { Operation, Section } from "../../http/openapi/types.ts";

const tags = ["Operation"];
const tooLarge = { "431": answerRef("HeadersTooLarge") };

const health = (operationId: string, summary: string, description: string, word: string): Operation => ({
  operationId,
  summary,
  description,
  tags,
  security: [],
  responses: {
    "200": { description: "Yes.", content: json("Health", { yes: { summary: "Yes", value: { status: word } } }) },
    ...tooLarge,
  },
});

const readiness = health("getReadiness", "Can it work?", "Whether the master takes requests.", "ready");

/** Health, metrics and documentation. */
export const operation: Section = {
  tag: { name: "Operation", description: "Health, metrics and this documentation." },
  paths: {
    "/healthz": { get: health("getHealth", "Is it alive?", "Answers as long as the master works.", "ok") },
    "/readyz": {
      get: {
        ...readiness,
        responses: { ...readiness.responses, "503": errorAnswer("It is starting or ending.", "Not ready") },
      },
    },
    "/metrics": {
      get: {
        operationId: "getMetrics",
        summary: "Read metrics",
        description: "Figures of the master and its instances in the text format of Prometheus.",
        tags,
        responses: {
          "200": {
            description: "The metrics.",
            content: {
              "text/plain": {
                schema: { type: "string" },
                examples: {
                  metrics: {
                    summary: "A part of them",
                    value:
                      '# HELP nodepass_instance_up Whether the instance runs.\n# TYPE nodepass_instance_up gauge\nnodepass_instance_up{id="ac881219"} 1\n',
                  },
                },
              },
            },
          },
          ...keyAnswers,
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
          "200": {
            description: "The document.",
            content: json("Document"),
          },
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
          "200": { description: "The page.", content: { "text/html": { schema: { type: "string" } } } },
          ...tooLarge,
        },
      },
    },
  },
  schemas: {
    Document: {
      type: "object",
      description: "An OpenAPI document.",
      required: ["openapi", "info", "paths"],
      properties: {
        openapi: { type: "string", pattern: "^3\\.1\\." },
        info: { type: "object" },
        paths: { type: "object" },
      },
    },
    Health: {
      type: "object",
      required: ["status"],
      properties: { status: { type: "string", enum: ["ok", "ready"] } },
    },
  },
};
