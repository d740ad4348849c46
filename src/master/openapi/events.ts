/**
 * The event stream in the OpenAPI document.
 *
 * @module
 */
import { keyAnswers, schemaRef } from "./answers.ts";
import { exampleInstance } from "./instance_schemas.ts";
import type { Section } from "../../http/openapi/types.ts";

const exampleEvent = {
  type: "update",
  time: "2026-11-21T03:06:10.459Z",
  instance: exampleInstance,
  logs: "",
};

/** Events. */
export const events: Section = {
  tag: { name: "Events", description: "What happens to instances, as it happens." },
  paths: {
    "/events": {
      get: {
        operationId: "streamEvents",
        summary: "Stream events",
        description:
          "Server-sent events, without an end. First one `initial` for each instance, with `********` (its `url` is empty here), then what happens. Each frame is an event named `instance` whose data is one line of JSON, below 64 KiB. A running instance has an `update` at each report interval, and one at each change.\n\nAn event named `lagged` comes first when the events since `Last-Event-ID` are no longer kept: at most 1,000 events and 8 MiB are. A reader that is too slow loses log lines first, then its connection. `shutdown` is the last event before the master ends the stream.",
        tags: ["Events"],
        parameters: [{
          name: "Last-Event-ID",
          in: "header",
          description: "Id of the last event that was seen: the missed ones are sent first.",
          schema: { type: "string", pattern: "^[!-~]{1,64}$" },
          example: "7-1042",
        }],
        responses: {
          "200": {
            description: "The stream.",
            content: {
              "text/event-stream": {
                schema: {
                  type: "string",
                  description: "Frames; each `data:` line is one event.",
                  contentMediaType: "text/event-stream",
                  contentSchema: schemaRef("InstanceEvent"),
                },
                examples: {
                  stream: {
                    summary: "The beginning of a stream",
                    value: `retry: 3000\n\nid: 7-1043\nevent: instance\ndata: ${JSON.stringify(exampleEvent)}\n\n`,
                  },
                },
              },
            },
          },
          ...keyAnswers,
        },
      },
    },
  },
  schemas: {
    InstanceEvent: {
      type: "object",
      description: "What happened to one instance.",
      required: ["type", "time", "instance", "logs"],
      additionalProperties: false,
      properties: {
        type: { type: "string", enum: ["initial", "create", "update", "delete", "shutdown", "log"] },
        time: { type: "string", format: "date-time" },
        instance: {
          description: "The whole instance; null in `shutdown` alone.",
          oneOf: [schemaRef("Instance"), { type: "null" }],
        },
        logs: { type: "string", description: 'A line of its log in `log`, else "".' },
      },
    },
  },
};
