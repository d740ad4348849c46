/**
 * The stream of events in the OpenAPI document.
 *
 * @module
 */
import type { Section } from "../../http/openapi/types.ts";
import { EVENT_TYPES } from "../contract/types.ts";
import { adminAnswers, ref, scope } from "./answers.ts";
import { id, time, uuid, words } from "./schema.ts";

const exampleEvent = {
  ...{ id: "019aa6f0-2c1e-7d3a-9b52-6f0c3de41a77", type: "user.online", at: "2026-11-21T10:04:00.000Z" },
  ...{ nodeId: 17, userId: 9, data: { nodeProtocolId: 3, ip: "198.51.100.4", gapMs: null } },
};

/** Events. */
export const events: Section = {
  tag: { name: "Events", description: "What happens in the fleet, as it happens. The same events go to webhooks." },
  paths: {
    "/admin/events": {
      get: {
        operationId: "streamEvents",
        summary: "Stream events",
        description:
          "Server-sent events, without an end. Each frame has an `id` and one line of JSON. An event named `lagged` comes first when the events since `Last-Event-ID` are no longer kept: the last 1,000 are. An event may come twice, with the same `id`.",
        tags: ["Events"],
        security: scope("read"),
        parameters: [{
          ...{ name: "Last-Event-ID", in: "header", schema: { type: "string" }, example: exampleEvent.id },
          description: "Id of the last event that was seen: the missed ones are sent first.",
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
                  contentSchema: ref("Event"),
                },
                examples: {
                  stream: {
                    summary: "The beginning of a stream",
                    value: `retry: 1000\n\nid: ${exampleEvent.id}\nevent: ${exampleEvent.type}\ndata: ${
                      JSON.stringify(exampleEvent)
                    }\n\n`,
                  },
                },
              },
            },
          },
          ...adminAnswers,
        },
      },
    },
  },
  schemas: {
    Event: {
      type: "object",
      description: "What happened.",
      required: ["id", "type", "at", "data"],
      additionalProperties: false,
      properties: {
        id: { ...uuid, description: "UUIDv7." },
        type: words(...EVENT_TYPES),
        at: time,
        nodeId: id,
        userId: id,
        data: { type: "object", additionalProperties: true, description: "What belongs to this type." },
      },
    },
  },
};
