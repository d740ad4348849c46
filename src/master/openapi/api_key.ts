/**
 * The API key in the OpenAPI document: a pseudo instance.
 *
 * @module
 */
import { bodyAnswers, errorAnswer, etagHeaders, json, keyAnswers, saveAnswers } from "./answers.ts";
import { exampleApiKey } from "./instance_schemas.ts";
import type { Answer, Section } from "../../http/openapi/types.ts";

const tags = ["API key"];

const shown = (description: string): Answer => ({
  description,
  headers: etagHeaders,
  content: json("Instance", { key: { summary: "The pseudo instance", value: exampleApiKey } }),
});

/** The API key. */
export const apiKey: Section = {
  tag: {
    name: "API key",
    description:
      "The pseudo instance `********`: its `url` is the key, its `config` the id of the master. It cannot be replaced or deleted.",
  },
  paths: {
    "/instances/********": {
      get: {
        operationId: "getApiKey",
        summary: "Read the API key",
        description: "The pseudo instance: `url` is the key, `config` the id of the master, `alias` its name.",
        tags,
        responses: { "200": shown("The key."), ...keyAnswers },
      },
      patch: {
        operationId: "rotateApiKey",
        summary: "Make a new API key",
        description:
          "With the action `restart`. The old key is refused from the answer on, and event streams that were opened with it get `shutdown` and end. Anything else changes nothing.",
        tags,
        requestBody: {
          description: "What to do. Read as JSON whatever its content type says.",
          required: true,
          content: json("InstanceChange", { rotate: { summary: "New key", value: { action: "restart" } } }),
        },
        responses: {
          "200": shown("`url` is the new key."),
          "400": errorAnswer("The body is not acceptable.", "Invalid request body", "Invalid action: bogus"),
          ...keyAnswers,
          ...bodyAnswers,
          ...saveAnswers,
        },
      },
    },
  },
  schemas: {},
};
