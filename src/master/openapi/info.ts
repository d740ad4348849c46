/**
 * The master itself and its tools in the OpenAPI document.
 *
 * @module
 */
import { bodyAnswers, errorAnswer, json, keyAnswers, saveAnswers } from "./answers.ts";
import type { Json, Schema, Section } from "../../http/openapi/types.ts";

const tags = ["Master"];
const text = (description: string): Schema => ({ type: "string", description });
const size = (description: string): Schema => ({ type: "integer", format: "int64", minimum: 0, description });

const infoProperties: Readonly<Record<string, Schema>> = {
  mid: text("Id of the master: 16 hex digits."),
  alias: text("Name of the master."),
  os: text("Operating system."),
  arch: text("Processor architecture."),
  cpu: { type: "integer", minimum: -1, maximum: 100, description: "Load in percent; -1 where it is not known." },
  mem_total: size("Memory, in bytes."),
  mem_used: size("Memory in use, in bytes."),
  mem_free: size("Memory that is free, in bytes."),
  swap_total: size("Swap space, in bytes."),
  swap_used: size("Swap space in use, in bytes."),
  swap_free: size("Swap space that is free, in bytes."),
  netrx: size("Bytes received by the network cards."),
  nettx: size("Bytes sent by the network cards."),
  diskr: size("Bytes read from disks."),
  diskw: size("Bytes written to disks."),
  sysup: size("Seconds since the machine started."),
  ver: text("Version of this API that clients can rely on."),
  name: text("Host that the master listens on."),
  uptime: size("Seconds since the master started."),
  log: text("Log level."),
  tls: text("TLS mode of this API: 0, 1 or 2."),
  crt: text("Certificate file."),
  key: text("Key file of the certificate."),
  impl: text("Program that answers."),
  impl_version: text("Its version."),
};

const exampleInfo: Json = {
  mid: "f378ec6f25ae10fa",
  alias: "frankfurt",
  os: "linux",
  arch: "amd64",
  cpu: 3,
  mem_total: 2057101312,
  mem_used: 395317248,
  mem_free: 1661784064,
  swap_total: 0,
  swap_used: 0,
  swap_free: 0,
  netrx: 422856144,
  nettx: 879030,
  diskr: 3675075584,
  diskw: 3006930944,
  sysup: 1806,
  ver: "1.14.0",
  name: "0.0.0.0",
  uptime: 600,
  log: "info",
  tls: "0",
  crt: "",
  key: "",
  impl: "nodepass-ts",
  impl_version: "1.0.0",
};

const shown = { info: { summary: "A small server", value: exampleInfo } };

/** The master and its tools. */
export const info: Section = {
  tag: { name: "Master", description: "The master itself, its machine, and what can be reached from it." },
  paths: {
    "/info": {
      get: {
        operationId: "getInfo",
        summary: "Read what master and machine this is",
        description: "Figures of the machine are those of Linux; elsewhere they are 0, and `cpu` is -1.",
        tags,
        responses: { "200": { description: "The master.", content: json("Info", shown) }, ...keyAnswers },
      },
      post: {
        operationId: "renameMaster",
        summary: "Rename the master",
        description: "Changes its alias.",
        tags,
        requestBody: {
          description: "The new name. Read as JSON whatever its content type says.",
          required: true,
          content: json("MasterName", { name: { summary: "A name", value: { alias: "frankfurt" } } }),
        },
        responses: {
          "200": { description: "The master with its new name.", content: json("Info", shown) },
          "400": errorAnswer(
            "The body is not acceptable.",
            "Invalid request body",
            "Master alias exceeds maximum length 256",
          ),
          ...keyAnswers,
          ...bodyAnswers,
          ...saveAnswers,
        },
      },
    },
    "/tcping": {
      get: {
        operationId: "tcping",
        summary: "Dial a TCP address once",
        description:
          "Says whether this machine reaches an address, and how fast. A target that is not reached is 200 too. It dials for at most 5 seconds; 10 can dial at a time.",
        tags,
        parameters: [{
          name: "target",
          in: "query",
          description: "`host:port` or `[address]:port`; it may come unencoded.",
          required: true,
          schema: { type: "string", minLength: 1, maxLength: 512 },
          example: "127.0.0.1:8080",
        }],
        responses: {
          "200": {
            description: "What became of it.",
            content: json("Tcping", {
              reached: {
                summary: "Reached",
                value: { target: "127.0.0.1:8080", connected: true, latency: 2, error: null },
              },
              refused: {
                summary: "Not reached",
                value: {
                  target: "127.0.0.1:1",
                  connected: false,
                  latency: 0,
                  error: "dial tcp 127.0.0.1:1: connect: connection refused",
                },
              },
            }),
          },
          "400": errorAnswer("There is no target, or it is too long.", "Target address required"),
          ...keyAnswers,
        },
      },
    },
  },
  schemas: {
    Info: {
      type: "object",
      description: "A master and its machine. Numbers are integers.",
      required: Object.keys(infoProperties),
      additionalProperties: false,
      properties: infoProperties,
    },
    MasterName: {
      type: "object",
      properties: { alias: { type: ["string", "null"], maxLength: 256, description: "New name." } },
    },
    Tcping: {
      type: "object",
      required: ["target", "connected", "latency", "error"],
      additionalProperties: false,
      properties: {
        target: { type: "string" },
        connected: { type: "boolean" },
        latency: { type: "integer", minimum: 0, description: "Milliseconds." },
        error: { type: ["string", "null"] },
      },
    },
  },
};
