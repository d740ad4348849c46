/**
 * How the form presents the parameters of a URL: names for people, groups and choices. What each one means comes from
 * the table of parameters itself.
 *
 * @module
 */
import { type Parameter, parametersOf } from "../../../config/parameters.ts";
import type { Kind } from "./url_draft.ts";
import { schemeOf } from "./url_draft.ts";

/** How one parameter is shown. */
export interface FieldGuide {
  readonly label: string;
  readonly group: Group;
  /** Value and text of each choice; absent: free text. */
  readonly choices?: Readonly<Record<string, string>>;
}

/** Headings of the form, in their order. */
export const groups = ["Security", "Visitors", "Targets", "Links", "Limits", "Log"] as const;

/** One heading. */
export type Group = typeof groups[number];

/** What a group is about. */
export const groupTexts: Readonly<Record<Group, string>> = {
  Security: "How the two ends prove who they are, and what is encrypted between them.",
  Visitors: "Who may use the tunnel, and with what.",
  Targets: "How the service behind the tunnel is reached.",
  Links: "Connections that are kept ready between the two ends.",
  Limits: "How much one tunnel may take.",
  Log: "What this tunnel writes down.",
};

/** Everything but `mode`, which the head of the form asks for. */
export const fieldGuides: Readonly<Record<string, FieldGuide>> = {
  tls: {
    label: "Encryption",
    group: "Security",
    choices: { 0: "None", 1: "From the tunnel key", 2: "Certificate files" },
  },
  crt: { label: "Certificate file", group: "Security" },
  key: { label: "Private key file", group: "Security" },
  sni: { label: "Server name", group: "Security" },
  wire: {
    label: "Wire language",
    group: "Security",
    choices: { secure: "Secure", "1.14": "NodePass 1.14 (the Go program)" },
  },
  allow: { label: "Allow only", group: "Visitors" },
  deny: { label: "Deny", group: "Visitors" },
  block: {
    label: "Refuse protocols",
    group: "Visitors",
    choices: {
      0: "None",
      1: "SOCKS",
      2: "HTTP",
      3: "TLS",
      12: "SOCKS and HTTP",
      13: "SOCKS and TLS",
      23: "HTTP and TLS",
      123: "SOCKS, HTTP and TLS",
    },
  },
  notcp: { label: "TCP", group: "Visitors", choices: { 0: "On", 1: "Off" } },
  noudp: { label: "UDP", group: "Visitors", choices: { 0: "On", 1: "Off" } },
  lbs: {
    label: "Balancing",
    group: "Targets",
    choices: { 0: "Round robin", 1: "Fewest connections", 2: "By visitor address" },
  },
  proxy: {
    label: "PROXY header",
    group: "Targets",
    choices: { 0: "Off", 1: "Version 1 (text)", 2: "Version 2 (binary)" },
  },
  dial: { label: "Source address", group: "Targets" },
  dns: { label: "Keep DNS answers", group: "Targets" },
  type: { label: "Carried by", group: "Links", choices: { 0: "TCP", 2: "WebSocket" } },
  path: { label: "WebSocket path", group: "Links" },
  min: { label: "Ready links", group: "Links" },
  max: { label: "Most ready links", group: "Links" },
  clients: { label: "Most clients", group: "Links" },
  trusted: { label: "Trusted proxies", group: "Links" },
  rate: { label: "Speed limit", group: "Limits" },
  slot: { label: "Sessions at once", group: "Limits" },
  read: { label: "Idle limit", group: "Limits" },
  log: {
    label: "Level",
    group: "Log",
    choices: {
      none: "Nothing",
      debug: "Debug: everything",
      info: "Info",
      warn: "Warnings and errors",
      error: "Errors",
      event: "Events: checkpoints and errors",
    },
  },
};

/** What only links to the other end use. */
const LINKS_ONLY: ReadonlySet<string> = new Set(["tls", "crt", "sni", "wire", "type", "path", "min"]);

/** A parameter and how it is shown. */
export interface Field {
  readonly parameter: Parameter;
  readonly guide: FieldGuide;
}

/** The fields of a group for a kind of tunnel. */
export function fieldsOf(kind: Kind, group: Group): Field[] {
  return parametersOf(schemeOf(kind)).flatMap((parameter) => {
    const guide = fieldGuides[parameter.name];
    if (guide === undefined || guide.group !== group) return [];
    return kind === "forwarder" && LINKS_ONLY.has(parameter.name) ? [] : [{ parameter, guide }];
  });
}

/** The text under a field. */
export function hintOf({ meaning, accepted, defaultText }: Parameter, free: boolean): string {
  const text = `${meaning.charAt(0).toUpperCase()}${meaning.slice(1)}.`;
  return free ? `${text} Give ${accepted}${defaultText === "-" ? "" : `; without it ${defaultText}`}.` : text;
}

/** What the head of the form says about a direction of a tunnel. */
export interface Direction {
  /** Value of `mode`; "" is the default. */
  readonly mode: string;
  readonly title: string;
  readonly text: string;
  /** What the target address is there. */
  readonly target: {
    readonly label: string;
    readonly hint: string;
    readonly example: string;
    readonly dialled: boolean;
  };
}

const service = {
  label: "Service",
  hint: "What visitors get to see, as reached from this machine. Several with commas share the load.",
  example: "127.0.0.1:8080",
  dialled: true,
};
const entrance = {
  label: "Visitors connect to",
  hint: "The address and port of this machine where visitors come in. Without a host: all addresses.",
  example: ":8080",
  dialled: false,
};

/** The directions of each kind; the first one is chosen to begin with. */
export const directions: Readonly<Record<Kind, readonly Direction[]>> = {
  server: [
    {
      mode: "1",
      title: "Visitors come to this server",
      text:
        "The service is next to a client, behind a firewall perhaps. The server listens for visitors and hands them through.",
      target: entrance,
    },
    {
      mode: "2",
      title: "The service is next to this server",
      text: "Visitors come in at the clients. The server takes them to a service it can reach.",
      target: service,
    },
    {
      mode: "",
      title: "Decide by address",
      text: "Listens at the second address when it belongs to this machine, else takes it for the service.",
      target: {
        label: "Second address",
        hint: "An address of this machine is where visitors come in; any other is the service.",
        example: ":8080",
        dialled: false,
      },
    },
  ],
  client: [
    {
      mode: "2",
      title: "The service is next to this client",
      text: "Visitors come in at the server, which runs in reverse direction.",
      target: service,
    },
    {
      mode: "2",
      title: "Visitors come to this client",
      text: "The service is next to the server, which runs in forward direction.",
      target: entrance,
    },
    {
      mode: "",
      title: "Decide by address",
      text:
        "Needs no server when the tunnel address belongs to this machine and is free, else connects to a server there.",
      target: {
        ...service,
        label: "Second address",
        hint: "The service, or where visitors come in: the server decides.",
      },
    },
  ],
  forwarder: [
    {
      mode: "1",
      title: "Listen here, pass on",
      text: "One machine, no other end: what arrives at the first address goes to the service.",
      target: service,
    },
  ],
};
