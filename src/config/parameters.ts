/**
 * Every parameter of the URL language: who takes it, what it accepts, what it means. Help, flags, completions and error
 * messages read this table; `schemas.ts` does the checking.
 *
 * @module
 */

/** First part of a URL. */
export type Role = "server" | "client" | "master";

/** One parameter. */
export interface Parameter {
  readonly name: string;
  readonly roles: readonly Role[];
  /** Placeholder in help. */
  readonly placeholder: string;
  /** Completes "expected ...". */
  readonly accepted: string;
  readonly defaultText: string;
  readonly meaning: string;
  /** The values there are, when they can be listed. */
  readonly values?: readonly string[];
}

const tunnels: readonly Role[] = ["server", "client"];
const all: readonly Role[] = ["server", "client", "master"];
const onOff: readonly string[] = ["0", "1"];
const zeroToTwo: readonly string[] = ["0", "1", "2"];
const durationText = 'a duration such as "90s", "5m" or "1h30m" (a bare number is seconds)';
const positive = "an integer >= 1";
const cidrList = 'a comma-separated list of addresses or ranges, e.g. "10.0.0.0/8,2001:db8::/32"';

/** All parameters, in the order in which help shows them and complete URLs carry them. */
export const parameters: readonly Parameter[] = [
  {
    name: "log",
    roles: all,
    placeholder: "level",
    accepted: "none, debug, info, warn, error or event",
    defaultText: "info",
    meaning: "lowest level that is logged; event shows checkpoints and errors only",
    values: ["none", "debug", "info", "warn", "error", "event"],
  },
  {
    name: "tls",
    roles: all,
    placeholder: "0|1|2",
    accepted: "0 (plain), 1 (identity made from the key) or 2 (certificate files)",
    defaultText: "1 (0 with wire=1.14)",
    meaning:
      "encryption: 0 none, 1 from the key, 2 certificate files; on a client 1 and 2 pin what the server must prove",
    values: zeroToTwo,
  },
  {
    name: "crt",
    roles: all,
    placeholder: "path",
    accepted: "the path of a PEM certificate chain, together with key",
    defaultText: "-",
    meaning: "PEM certificate chain for tls=2; on a client more trusted roots",
  },
  {
    name: "key",
    roles: ["server", "master"],
    placeholder: "path",
    accepted: "the path of a PEM private key, together with crt (the tunnel key stands before the @ of the URL)",
    defaultText: "-",
    meaning: "PEM private key for tls=2",
  },
  {
    name: "sni",
    roles: ["client"],
    placeholder: "name",
    accepted: "a host name",
    defaultText: "host of the tunnel address",
    meaning: "name that is sent and verified with tls=2",
  },
  {
    name: "wire",
    roles: all,
    placeholder: "dialect",
    accepted: "secure or 1.14",
    defaultText: "secure",
    meaning: "language between the two ends; 1.14 speaks to the Go program",
    values: ["secure", "1.14"],
  },
  {
    name: "mode",
    roles: tunnels,
    placeholder: "0|1|2",
    accepted: "0 (automatic), 1 (server: reverse, client: single-end) or 2 (server: forward, client: with a server)",
    defaultText: "0",
    meaning: "run mode: 0 automatic; server 1 reverse, 2 forward; client 1 single-end, 2 with a server",
    values: zeroToTwo,
  },
  {
    name: "type",
    roles: tunnels,
    placeholder: "0|2",
    accepted: "0 (TCP) or 2 (WebSocket); 1 (QUIC) and 3 (HTTP/2) are not supported yet on this runtime",
    defaultText: "0",
    meaning: "what links run on: 0 TCP, 2 WebSocket; the same at both ends",
    values: ["0", "2"],
  },
  {
    name: "path",
    roles: tunnels,
    placeholder: "path",
    accepted: 'a path that starts with "/", without spaces, "?" and "#"',
    defaultText: "/",
    meaning: "path of WebSocket links (type=2)",
  },
  {
    name: "min",
    roles: ["client"],
    placeholder: "n",
    accepted: positive,
    defaultText: "64",
    meaning: "links kept ready",
  },
  {
    name: "max",
    roles: ["server"],
    placeholder: "n",
    accepted: positive,
    defaultText: "1024",
    meaning: "most links a client may keep ready",
  },
  {
    name: "clients",
    roles: ["server"],
    placeholder: "n",
    accepted: `${positive} (1 with wire=1.14)`,
    defaultText: "64 (1 with wire=1.14)",
    meaning: "clients at once",
  },
  {
    name: "trusted",
    roles: ["server"],
    placeholder: "cidr,...",
    accepted: cidrList,
    defaultText: "-",
    meaning: "proxies in front of the tunnel port, exempt from limits per address",
  },
  {
    name: "read",
    roles: tunnels,
    placeholder: "duration",
    accepted: durationText,
    defaultText: "0",
    meaning: "idle limit of a TCP session and expiry of a UDP session; 0 is off (UDP: NP_UDP_READ_TIMEOUT)",
  },
  {
    name: "rate",
    roles: tunnels,
    placeholder: "mbit",
    accepted: "an integer >= 0, in Mbit/s",
    defaultText: "0",
    meaning: "limit of the whole instance in each direction, in Mbit/s; 0 is off",
  },
  {
    name: "slot",
    roles: tunnels,
    placeholder: "n",
    accepted: "an integer >= 0",
    defaultText: "65536 (NP_SEMAPHORE_LIMIT)",
    meaning: "sessions at once, TCP and UDP together; 0 is off",
  },
  {
    name: "proxy",
    roles: tunnels,
    placeholder: "0|1|2",
    accepted: "0 (off), 1 (version 1) or 2 (version 2)",
    defaultText: "0",
    meaning: "PROXY protocol header to the target, with the visitor's address",
    values: zeroToTwo,
  },
  {
    name: "block",
    roles: tunnels,
    placeholder: "123",
    accepted: "0, or any of 1 (SOCKS), 2 (HTTP) and 3 (TLS) joined, e.g. 12",
    defaultText: "0",
    meaning: "refuse visitors that speak 1 SOCKS, 2 HTTP, 3 TLS (joined: 123)",
    values: ["0", "1", "2", "3", "12", "13", "23", "123"],
  },
  {
    name: "notcp",
    roles: tunnels,
    placeholder: "0|1",
    accepted: "0 or 1",
    defaultText: "0",
    meaning: "1 switches TCP off",
    values: onOff,
  },
  {
    name: "noudp",
    roles: tunnels,
    placeholder: "0|1",
    accepted: "0 or 1, and 0 when notcp is 1",
    defaultText: "0",
    meaning: "1 switches UDP off",
    values: onOff,
  },
  {
    name: "dial",
    roles: tunnels,
    placeholder: "ip",
    accepted: "auto or an IP address of this machine",
    defaultText: "auto",
    meaning: "source address for dialling targets",
  },
  {
    name: "dns",
    roles: tunnels,
    placeholder: "duration",
    accepted: durationText,
    defaultText: "5m",
    meaning: "how long resolved names are kept",
  },
  {
    name: "lbs",
    roles: tunnels,
    placeholder: "0|1|2",
    accepted: "0 (round robin), 1 (least connections) or 2 (source hash)",
    defaultText: "0",
    meaning: "choice among several targets: 0 round robin, 1 least connections, 2 source hash",
    values: zeroToTwo,
  },
  {
    name: "allow",
    roles: tunnels,
    placeholder: "cidr,...",
    accepted: cidrList,
    defaultText: "-",
    meaning: "only visitors from these addresses",
  },
  {
    name: "deny",
    roles: tunnels,
    placeholder: "cidr,...",
    accepted: cidrList,
    defaultText: "-",
    meaning: "no visitors from these addresses; wins over allow",
  },
  {
    name: "isolation",
    roles: ["master"],
    placeholder: "kind",
    accepted: "shared or process",
    defaultText: "shared",
    meaning: "process: every instance in a process of its own",
    values: ["shared", "process"],
  },
];

/** The parameter of this name that at least one role takes. */
export function parameterNamed(name: string): Parameter | null {
  return parameters.find((parameter) => parameter.name === name) ?? null;
}

/** The parameters of a role. */
export function parametersOf(role: Role): readonly Parameter[] {
  return parameters.filter((parameter) => parameter.roles.includes(role));
}
