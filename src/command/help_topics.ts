/**
 * Help on subjects that are not commands.
 *
 * @module
 */
import { formatDuration } from "../config/duration.ts";
import { parameters } from "../config/parameters.ts";
import { acceptedBy, defaultSettings, settingVariables } from "../config/settings.ts";
import { coreVariables } from "../core/settings.ts";
import { table } from "./table.ts";

/** One subject. */
export interface Topic {
  readonly name: string;
  readonly summary: string;
  /** The text, for a terminal of this width. */
  readonly text: (width: number) => string;
}

const url = `Examples

  # A service on this machine, reached through a public server
  nodepass "server://$KEY@0.0.0.0:10101/0.0.0.0:8080"          # on the server: visitors arrive at 8080
  nodepass "client://$KEY@server.example.com:10101/127.0.0.1:80"  # beside the service

  # The other way round: visitors arrive at the client, the server dials
  nodepass "server://$KEY@0.0.0.0:10101/10.0.0.5:5432?mode=2"
  nodepass "client://$KEY@server.example.com:10101/127.0.0.1:5432"

  # A relay with no server
  nodepass "client://127.0.0.1:1080/target.example.com:8080?mode=1"

Form

  server://[key@]host:port/target[,target...][?parameter=value&...]
  client://[key@]host:port/target[,target...][?parameter=value&...]
  master://[host]:port[/prefix][?log=&tls=&crt=&key=&wire=&isolation=]

  The first address is the tunnel address: the server listens on it, the client connects to it.
  Behind the "/" stand one or more target addresses. A host may be empty (server://:10101/:8080: all addresses),
  IPv6 stands in brackets ([2001:db8::1]:10101).
  A master listens there with its API; its prefix is /api where the URL names none, and it takes no tunnel key.
  In the key, write "/" as %2F, "?" as %3F and "%" as %25.
`;

const key = `Examples

  nodepass keygen                                       # make a key
  nodepass "server://$KEY@0.0.0.0:10101/127.0.0.1:8080" # use it
  NP_KEY_FILE=/etc/nodepass.key nodepass "server://0.0.0.0:10101/127.0.0.1:8080"

What it does

  Both ends prove to each other that they know the key, and with tls=1 (the default) make the server's certificate from
  it. Whoever has the key can pose as the server: one key per circle of trust.
  A made key (npk1_...) has 256 random bits and starts at once; any other text is stretched first (about 0.4 s).
  Without a key, a tunnel address on this machine alone (127.0.0.1, ::1, localhost) uses one made from the port; anywhere
  else nodepass refuses to start. NP_ALLOW_PORT_KEY=1 runs without a secret, NP_REQUIRE_KEY=1 refuses short keys.
  Logs, errors and process lists show *** in place of the key. A key in an argument is visible in process lists until
  the program has started: NP_KEY_FILE avoids that.
`;

const exit = `  0  done, or stopped by SIGINT or SIGTERM
  1  cannot start, or a second signal cut the end short; what fails later starts again after NP_SERVICE_COOLDOWN
  2  a URL, flag, file or environment variable is not acceptable

Signals

  SIGINT, SIGTERM  take no new sessions, let running ones end for up to NP_SHUTDOWN_TIMEOUT, exit 0
                   a second one exits at once
  SIGHUP           read certificates and the file of "nodepass run" again; unchanged tunnels are not touched

  A master stops its instances with it and starts those with "restart" again when it comes back.
`;

const file = `Examples

  # tunnels.toml
  tunnels = [
    "server://npk1_...@0.0.0.0:10101/127.0.0.1:8080",
    { name = "database", url = "client://127.0.0.1:5432/db.example.com:5432?mode=1" },
  ]
  [environment]
  NP_REPORT_INTERVAL = "10s"

  # tunnels.json
  ["client://127.0.0.1:5432/db.example.com:5432?mode=1"]

  A value counts in this order: flag, URL, environment variable, file, default. Unknown keys are errors.
`;

/** All subjects. */
export const topics: readonly Topic[] = [
  { name: "url", summary: "how a tunnel is written", text: () => url },
  { name: "parameters", summary: "every parameter of a URL", text: parameterText },
  { name: "key", summary: "what the key does and where it comes from", text: () => key },
  { name: "environment", summary: "every NP_* variable", text: environmentText },
  { name: "core-environment", summary: "every variable that Core reads", text: coreEnvironmentText },
  { name: "file", summary: 'the file of "nodepass run"', text: () => file },
  { name: "exit", summary: "exit codes and signals", text: () => exit },
];

/** The subject of this name. */
export function topicNamed(name: string): Topic | null {
  return topics.find((topic) => topic.name === name) ?? null;
}

function parameterText(width: number): string {
  const rows = parameters.map(({ name, placeholder, meaning, defaultText, roles }) => {
    const tunnels = roles.filter((role) => role !== "master");
    const only = tunnels.length === 2 ? "" : ` (${tunnels[0] ?? "master"})`;
    return [`${name}=${placeholder}`, `${meaning}${only}; default ${defaultText}`] as const;
  });
  return `${table(rows, width)}\n\n  Durations: 90s, 5m, 1h30m, 500ms; a bare number is seconds.\n`;
}

function environmentText(width: number): string {
  const rows = settingVariables.map(
    ({ name, meaning, kind, field }) => {
      const value = defaultSettings[field];
      const byDefault = value === null ? "-" : typeof value === "boolean" ? "0" : String(value);
      const text = kind.kind === "duration" ? formatDuration(Number(value)) : byDefault;
      return [name, `${meaning}; ${acceptedBy(kind)}; default ${text}`] as const;
    },
  );
  return table([...rows, ["NO_COLOR", "any value: no colour on a terminal"]], width);
}

function coreEnvironmentText(width: number): string {
  const rows = coreVariables.map(({ name, meaning }) => [name, meaning] as const);
  return `${table(rows, width)}\n\n  In brackets what counts without the variable. Core reads no NP_* variable.\n`;
}
