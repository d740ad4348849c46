/**
 * Instances in the OpenAPI document.
 *
 * @module
 */
import {
  answerRef,
  bodyAnswers,
  errorAnswer,
  etagHeaders,
  json,
  keyAnswers,
  parameterRef,
  saveAnswers,
} from "./answers.ts";
import { exampleApiKey, exampleInstance, instanceSchemas } from "./instance_schemas.ts";
import type { Answer, Operation, RequestBody, Section } from "../../http/openapi/types.ts";

const tags = ["Instances"];

const forbidden = errorAnswer("The API key, `********`, cannot be changed this way.", "Forbidden: API Key");

const shown = (description: string): Answer => ({
  description,
  headers: etagHeaders,
  content: json("Instance", { instance: { summary: "A running server", value: exampleInstance } }),
});

const list: Operation = {
  operationId: "listInstances",
  summary: "List instances",
  description: "All instances at once, with the pseudo instance `********` that carries the API key.",
  tags,
  responses: {
    "200": {
      description: "All instances.",
      content: json("InstanceList", { list: { summary: "One server", value: [exampleApiKey, exampleInstance] } }),
    },
    ...keyAnswers,
  },
};

const create: Operation = {
  operationId: "createInstance",
  summary: "Create an instance",
  description:
    "Creates an instance, starts it and has it started with the master. The answer does not wait until it runs. Parameters that are not known are kept in the URL and warned of in the log.",
  tags,
  parameters: [{
    name: "Idempotency-Key",
    in: "header",
    description: "The same key within 10 minutes gets the same answer and creates nothing.",
    schema: { type: "string", pattern: "^[!-~]{1,256}$" },
    example: "6f1c2f0e-5b6c-4f0b-9a53-1f7c1f6f3c51",
  }],
  requestBody: {
    description: "What to run. Read as JSON whatever its content type says.",
    required: true,
    content: json("NewInstance", {
      server: {
        summary: "Expose a local web server through this machine",
        value: { alias: "web", url: "server://k@0.0.0.0:10101/127.0.0.1:8080?tls=1" },
      },
      client: {
        summary: "The other end of it",
        value: { url: "client://k@203.0.113.7:10101/127.0.0.1:80?min=8" },
      },
      forward: {
        summary: "Pass a port on to another host, without a tunnel",
        value: { alias: "relay", url: "client://127.0.0.1:0/192.0.2.10:443?mode=1&notcp=0&rate=100" },
      },
    }),
  },
  responses: {
    "201": {
      ...shown("It was created and is being started."),
      links: {
        read: {
          operationId: "getInstance",
          description: "Read it.",
          parameters: { id: "$response.body#/id" },
        },
        change: {
          operationId: "changeInstance",
          description: "Change or control it.",
          parameters: { id: "$response.body#/id" },
        },
        remove: {
          operationId: "deleteInstance",
          description: "Remove it.",
          parameters: { id: "$response.body#/id" },
        },
      },
    },
    "400": errorAnswer(
      "The body or the URL is not acceptable.",
      "Invalid request body",
      "Invalid URL format",
      "Invalid URL scheme",
    ),
    "422": errorAnswer(
      "The same `Idempotency-Key` came with another body.",
      "Idempotency-Key was used with another request body",
    ),
    ...keyAnswers,
    ...bodyAnswers,
    ...saveAnswers,
  },
};

const get: Operation = {
  operationId: "getInstance",
  summary: "Read an instance",
  description: "One instance with its gauges and counters.",
  tags,
  responses: { "200": shown("The instance."), "404": answerRef("NotFound"), ...keyAnswers },
};

const changeBody: RequestBody = {
  description: "What to change. Read as JSON whatever its content type says.",
  required: true,
  content: json("InstanceChange", {
    stop: { summary: "Stop it", value: { action: "stop" } },
    rename: { summary: "Rename it, and leave it stopped at the next start", value: { alias: "web-2", restart: false } },
    tags: { summary: "Note something", value: { meta: { tags: { region: "eu" } } } },
  }),
};

const change: Operation = {
  operationId: "changeInstance",
  summary: "Change or control an instance",
  description:
    "Starts, stops or restarts it, zeroes its counters, changes its name, whether it starts with the master, and its notes. Does not wait for the end of a stop.",
  tags,
  parameters: [parameterRef("IfMatch")],
  requestBody: changeBody,
  responses: {
    "200": shown("The instance after the change."),
    "400": errorAnswer(
      "The body is not acceptable; nothing was changed.",
      "Invalid request body",
      "Invalid action: bogus",
      "Instance alias exceeds maximum length 256",
    ),
    "404": answerRef("NotFound"),
    "412": answerRef("PreconditionFailed"),
    ...keyAnswers,
    ...bodyAnswers,
    ...saveAnswers,
  },
};

const replace: Operation = {
  operationId: "replaceInstanceUrl",
  summary: "Replace the URL of an instance",
  description: "Gives it another URL and starts it with that, even when it was stopped. Its counters go on.",
  tags,
  parameters: [parameterRef("IfMatch")],
  requestBody: {
    description: "The new URL. Read as JSON whatever its content type says.",
    required: true,
    content: json("InstanceUrl", {
      url: { summary: "More links in the pool", value: { url: "client://k@203.0.113.7:10101/127.0.0.1:80?min=16" } },
    }),
  },
  responses: {
    "200": shown("The instance with its new URL."),
    "400": errorAnswer(
      "The body or the URL is not acceptable.",
      "Invalid request body",
      "Invalid URL format",
      "Invalid URL scheme",
    ),
    "403": forbidden,
    "404": answerRef("NotFound"),
    "409": errorAnswer("It has this URL already.", "Instance URL conflict"),
    "412": answerRef("PreconditionFailed"),
    ...keyAnswers,
    ...bodyAnswers,
    ...saveAnswers,
  },
};

const remove: Operation = {
  operationId: "deleteInstance",
  summary: "Delete an instance",
  description: "Stops it and forgets it. Its sessions drain in the background.",
  tags,
  parameters: [parameterRef("IfMatch")],
  responses: {
    "204": { description: "It is gone." },
    "403": forbidden,
    "404": answerRef("NotFound"),
    "412": answerRef("PreconditionFailed"),
    ...keyAnswers,
    ...saveAnswers,
  },
};

/** Instances. */
export const instances: Section = {
  tag: { name: "Instances", description: "Tunnel ends that this master runs." },
  paths: {
    "/instances": { get: list, post: create },
    "/instances/{id}": {
      parameters: [parameterRef("InstanceId")],
      get,
      patch: change,
      put: replace,
      delete: remove,
    },
  },
  schemas: instanceSchemas,
};
