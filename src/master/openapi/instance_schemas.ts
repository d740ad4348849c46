/**
 * Schemas of instances, and one instance to show.
 *
 * @module
 */
import { schemaRef } from "./answers.ts";
import type { Json, Schema } from "../../http/openapi/types.ts";

const bytes = (description: string): Schema => ({
  type: "integer",
  format: "int64",
  minimum: 0,
  description: `${description} Adds up over restarts of the instance and of the master; \`reset\` zeroes it.`,
});

const count = (description: string): Schema => ({ type: "integer", format: "int32", minimum: 0, description });

/** A URL in a request. */
export const tunnelUrl: Schema = {
  type: "string",
  description: "`server://` or `client://` URL, at most 4 KiB. It is kept byte for byte.",
  pattern: "^(server|client)://",
  maxLength: 4096,
  examples: ["server://k@0.0.0.0:10101/127.0.0.1:8080?tls=1"],
};

/** Members of an instance, in the order in which they are sent. */
const instanceProperties: Readonly<Record<string, Schema>> = {
  id: {
    type: "string",
    pattern: "^([0-9a-f]{8}|\\*{8})$",
    description: "8 hex digits; `********` carries the API key.",
  },
  alias: { type: "string", description: 'Name for people, or "".' },
  type: { type: "string", enum: ["client", "server", ""], description: '"" for `********`.' },
  status: {
    type: "string",
    enum: ["running", "stopped", "error", ""],
    description: '`running`: listening, connected or retrying. `error`: the last run failed. "" for `********`.',
  },
  url: { type: "string", description: "As it was sent, byte for byte; the API key in `********`." },
  config: { type: "string", description: "The URL with every default filled in; the id of the master in `********`." },
  restart: { type: "boolean", description: "Start it when the master starts." },
  meta: schemaRef("Meta"),
  mode: {
    type: "integer",
    minimum: 0,
    maximum: 2,
    description: "Mode of the running tunnel; 0 while it is not known.",
  },
  ping: count("Round trip between the two ends, in milliseconds."),
  pool: count("Links that wait for a visitor."),
  tcps: count("Live TCP connections."),
  udps: count("Live UDP sessions."),
  tcprx: bytes("TCP bytes received."),
  tcptx: bytes("TCP bytes sent."),
  udprx: bytes("UDP bytes received."),
  udptx: bytes("UDP bytes sent."),
};

const text = { type: "string", maxLength: 256 } as const;
const textOrNull = { type: ["string", "null"], maxLength: 256 } as const;

/** Schemas of instances. */
export const instanceSchemas: Readonly<Record<string, Schema>> = {
  Instance: {
    type: "object",
    description: "An instance: a tunnel end that this master runs. All members are always there.",
    required: Object.keys(instanceProperties),
    additionalProperties: false,
    properties: instanceProperties,
  },
  InstanceList: { type: "array", description: "All instances, with `********`.", items: schemaRef("Instance") },
  Meta: {
    type: "object",
    description: "Notes that clients of this API keep with an instance.",
    required: ["peer", "tags"],
    additionalProperties: false,
    properties: {
      peer: {
        type: "object",
        description: "Where the instance belongs, as other programs note it.",
        required: ["sid", "type", "alias"],
        additionalProperties: false,
        properties: {
          sid: { ...text, description: "Id of the service." },
          type: { ...text, description: "Type of the service." },
          alias: { ...text, description: "Name of the service." },
        },
      },
      tags: { type: "object", description: "Free words.", additionalProperties: text },
    },
  },
  NewInstance: {
    type: "object",
    required: ["url"],
    properties: {
      alias: { ...textOrNull, description: "Name for people." },
      url: tunnelUrl,
    },
  },
  InstanceUrl: { type: "object", required: ["url"], properties: { url: tunnelUrl } },
  InstanceChange: {
    type: "object",
    description:
      "What to change. Members that are absent or null stay as they are; everything is checked before anything is done.",
    properties: {
      alias: { ...textOrNull, description: 'New name. "" changes nothing.' },
      action: {
        type: ["string", "null"],
        enum: ["start", "stop", "restart", "reset", "", null],
        description: "`reset` zeroes the traffic counters.",
      },
      restart: { type: ["boolean", "null"], description: "Start it when the master starts." },
      meta: {
        type: ["object", "null"],
        description: "At most 16 KiB.",
        properties: {
          peer: {
            type: ["object", "null"],
            description: 'Members that are absent stay as they are; null ones become "".',
            properties: { sid: textOrNull, type: textOrNull, alias: textOrNull },
          },
          tags: {
            type: ["object", "null"],
            description: "Replaces the whole map; `{}` clears it.",
            additionalProperties: textOrNull,
            propertyNames: { type: "string", maxLength: 256 },
          },
        },
      },
    },
  },
};

/** An instance to show. */
export const exampleInstance: Readonly<Record<string, Json>> = {
  id: "ac881219",
  alias: "web",
  type: "server",
  status: "running",
  url: "server://k@0.0.0.0:10101/127.0.0.1:8080?tls=1",
  config:
    "server://k@0.0.0.0:10101/127.0.0.1:8080?log=info&tls=1&mode=0&dns=5m&dial=auto&max=1024&type=0&read=0&rate=0&slot=65536&proxy=0&block=0&notcp=0&noudp=0",
  restart: true,
  meta: { peer: { sid: "", type: "", alias: "" }, tags: { region: "eu" } },
  mode: 2,
  ping: 12,
  pool: 64,
  tcps: 3,
  udps: 0,
  tcprx: 734003,
  tcptx: 10485760,
  udprx: 0,
  udptx: 0,
};

/** The pseudo instance that carries the API key. */
export const exampleApiKey: Readonly<Record<string, Json>> = {
  ...exampleInstance,
  id: "********",
  alias: "frankfurt",
  type: "",
  status: "",
  url: "0123456789abcdef0123456789abcdef",
  config: "f378ec6f25ae10fa",
  restart: false,
  meta: { peer: { sid: "", type: "", alias: "" }, tags: {} },
  mode: 0,
  ping: 0,
  pool: 0,
  tcps: 0,
  tcprx: 0,
  tcptx: 0,
};
