/**
 * Live sessions and last log lines of an instance in the OpenAPI document.
 *
 * @module
 */
import { answerRef, errorAnswer, json, keyAnswers, parameterRef, schemaRef } from "./answers.ts";
import type { Json, Operation, Schema, Section } from "../../http/openapi/types.ts";

const tags = ["Sessions and logs"];

const exampleSession: Json = {
  id: "17",
  protocol: "tcp",
  visitor: "198.51.100.4:51544",
  target: "127.0.0.1:8080",
  ageMs: 5120,
  rx: 734,
  tx: 10485,
};

const sessionProperties: Readonly<Record<string, Schema>> = {
  id: { type: "string", minLength: 1 },
  protocol: { type: "string", enum: ["tcp", "udp"] },
  visitor: { type: "string", description: "`ip:port` of the visitor, as this end sees it." },
  target: { type: "string", description: '`host:port`, or "" at the end that does not dial.' },
  ageMs: { type: "integer", minimum: 0, description: "Milliseconds since it began." },
  rx: { type: "integer", format: "int64", minimum: 0, description: "Bytes received." },
  tx: { type: "integer", format: "int64", minimum: 0, description: "Bytes sent." },
};

const list: Operation = {
  operationId: "listSessions",
  summary: "List live sessions",
  description: "The TCP connections and UDP sessions that pass through the instance now; none while it is stopped.",
  tags,
  responses: {
    "200": {
      description: "The sessions.",
      content: json("SessionList", { list: { summary: "One connection", value: [exampleSession] } }),
    },
    "404": answerRef("NotFound"),
    ...keyAnswers,
  },
};

const end: Operation = {
  operationId: "endSession",
  summary: "End a session",
  description: "Closes one TCP connection or UDP session at both sides.",
  tags,
  responses: {
    "204": { description: "It has ended." },
    "404": errorAnswer("No instance or no session has this id.", "Instance not found", "Session not found"),
    ...keyAnswers,
  },
};

const logs: Operation = {
  operationId: "readLogs",
  summary: "Read the last log lines",
  description: "The last lines that the instance wrote, oldest first; at most 500 are kept, in memory.",
  tags,
  parameters: [{
    name: "lines",
    in: "query",
    description: "How many lines at most.",
    schema: { type: "integer", minimum: 1, maximum: 500, default: 500 },
    example: 100,
  }],
  responses: {
    "200": {
      description: "The lines.",
      content: json("LogLines", {
        lines: { summary: "Two lines", value: ["Server started", "Client connected client=203.0.113.9:40122"] },
      }),
    },
    "400": errorAnswer("`lines` is not a number from 1 to 500.", "Invalid lines: expected an integer from 1 to 500"),
    "404": answerRef("NotFound"),
    ...keyAnswers,
  },
};

/** Sessions and logs. */
export const sessions: Section = {
  tag: { name: "Sessions and logs", description: "What passes through an instance now, and what it said." },
  paths: {
    "/instances/{id}/sessions": { parameters: [parameterRef("InstanceId")], get: list },
    "/instances/{id}/sessions/{sid}": {
      parameters: [parameterRef("InstanceId"), {
        name: "sid",
        in: "path",
        description: "Id of a session, from the list.",
        required: true,
        schema: { type: "string", pattern: "^[A-Za-z0-9_-]{1,64}$" },
        example: "17",
      }],
      delete: end,
    },
    "/instances/{id}/logs": { parameters: [parameterRef("InstanceId")], get: logs },
  },
  schemas: {
    Session: {
      type: "object",
      description: "One live TCP connection or UDP session.",
      required: Object.keys(sessionProperties),
      additionalProperties: false,
      properties: sessionProperties,
    },
    SessionList: { type: "array", items: schemaRef("Session") },
    LogLines: { type: "array", maxItems: 500, items: { type: "string" } },
  },
};
