/**
 * The sub-commands: help, completions and suggestions read this table.
 *
 * @module
 */
import { doctorFlags, statusFlags } from "./api_flags.ts";
import { coreFlags, coreUsage } from "./core_flags.ts";
import { type Flag, helpFlag, jsonFlag } from "./flags.ts";
import { masterFlags } from "./master_flags.ts";
import { stateFlags, stateUsage } from "./state_flags.ts";
import { logFormatFlag, tunnelFlags } from "./tunnel_flags.ts";

/** One sub-command. */
export interface CommandSummary {
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  readonly examples: readonly string[];
  readonly flags: readonly Flag[];
  /** What the positional argument completes with. */
  readonly completes: "files" | "topics" | "shells" | "nothing";
}

/** The flag of `nodepass run`. */
export const fileFlag: Flag = {
  name: "config",
  short: "c",
  placeholder: "file",
  meaning: "JSON or TOML file with the list of tunnels",
  file: true,
};

/** Shells that `nodepass completions` knows. */
export const shells: readonly string[] = ["bash", "zsh", "fish"];

const listen = '"server://$KEY@0.0.0.0:10101/127.0.0.1:8080"';

/** All sub-commands, in the order of the help. */
export const commands: readonly CommandSummary[] = [
  {
    name: "server",
    usage: "nodepass server [url] [flags]",
    summary: "run a tunnel server, said with flags",
    examples: [
      "nodepass server --tunnel-port 10101 --target 127.0.0.1:8080 --tunnel-key $KEY",
      `nodepass server ${listen} --slot 1000`,
    ],
    flags: [...tunnelFlags("server"), helpFlag],
    completes: "nothing",
  },
  {
    name: "client",
    usage: "nodepass client [url] [flags]",
    summary: "run a tunnel client or a forwarder, said with flags",
    examples: [
      "nodepass client --tunnel-host example.com --tunnel-port 10101 --target 127.0.0.1:80 --tunnel-key $KEY",
      "nodepass client --tunnel-port 1080 --target example.com:80 --mode 1",
    ],
    flags: [...tunnelFlags("client"), helpFlag],
    completes: "nothing",
  },
  {
    name: "master",
    usage: "nodepass master [url] [flags]",
    summary: "run an API, events and a dashboard that run tunnels",
    examples: [
      "nodepass master",
      'nodepass "master://0.0.0.0:8443/api?tls=1"',
      "nodepass master master://0.0.0.0:8443 --tls 2 --crt chain.pem --key key.pem",
    ],
    flags: [...masterFlags, helpFlag],
    completes: "nothing",
  },
  {
    name: "core",
    usage: coreUsage,
    summary: 'run the control plane of a fleet of nodes; see "nodepass help core-environment"',
    examples: [
      "nodepass core",
      "DATABASE_URL=sqlite:./demo/core.db nodepass core demo",
      "HOST=0.0.0.0 TLS_CERT=chain.pem TLS_KEY=key.pem nodepass core",
      "nodepass core token create --name dashboard --scopes read --expires 30d",
    ],
    flags: coreFlags,
    completes: "nothing",
  },
  {
    name: "run",
    usage: "nodepass run -c file [--log-format text|json]",
    summary: "run every tunnel of a file; SIGHUP reads the file and certificates again",
    examples: ["nodepass run -c tunnels.toml", "kill -HUP $(pidof nodepass)"],
    flags: [fileFlag, logFormatFlag, helpFlag],
    completes: "nothing",
  },
  {
    name: "verify",
    usage: "nodepass verify <url|file> [--json]",
    summary: "say what is wrong with a URL or a file, and start nothing",
    examples: [`nodepass verify ${listen}`, "nodepass verify tunnels.toml --json"],
    flags: [jsonFlag, helpFlag],
    completes: "files",
  },
  {
    name: "keygen",
    usage: "nodepass keygen [--json]",
    summary: "print a new key of 256 random bits",
    examples: [
      "nodepass keygen",
      "nodepass keygen > tunnel.key && NP_KEY_FILE=tunnel.key nodepass server://:10101/:8080",
    ],
    flags: [jsonFlag, helpFlag],
    completes: "nothing",
  },
  {
    name: "state",
    usage: stateUsage,
    summary: "show the API key of a master, save its state, bring it back",
    examples: [
      "nodepass state key",
      "nodepass state export --out backup.json",
      "nodepass state import --from gob/nodepass.gob",
    ],
    flags: stateFlags,
    completes: "files",
  },
  {
    name: "status",
    usage: "nodepass status --api url --key key [--watch] [--json]",
    summary: "show the instances of a master, and what goes through them",
    examples: [
      "nodepass status --api http://127.0.0.1:9090/api --key $(nodepass state key)",
      "nodepass status --api https://example.com/api --key-file api.key --watch",
    ],
    flags: statusFlags,
    completes: "nothing",
  },
  {
    name: "doctor",
    usage: "nodepass doctor [id...] --api url --key key [--api2 url --key2 key] [--json]",
    summary: "say what is wrong with a tunnel, seen from the masters of its ends",
    examples: [
      "nodepass doctor --api http://127.0.0.1:9090/api --key-file api.key",
      "nodepass doctor --api https://a.example.com/api --key-file a --api2 https://b.example.com/api --key-file2 b",
    ],
    flags: doctorFlags,
    completes: "nothing",
  },
  {
    name: "permissions",
    usage: "nodepass permissions <url>|core [--json]",
    summary: "print the Deno permissions that a tunnel or Core needs, and no more",
    examples: [
      "deno run $(nodepass permissions server://:10101/127.0.0.1:8080) cli.ts server://:10101/127.0.0.1:8080",
      "deno run $(nodepass permissions core) cli.ts core",
    ],
    flags: [jsonFlag, helpFlag],
    completes: "nothing",
  },
  {
    name: "completions",
    usage: "nodepass completions bash|zsh|fish",
    summary: "print a completion script for a shell",
    examples: [
      "source <(nodepass completions bash)",
      "nodepass completions fish > ~/.config/fish/completions/nodepass.fish",
    ],
    flags: [helpFlag],
    completes: "shells",
  },
  {
    name: "version",
    usage: "nodepass version [--json]",
    summary: "print the version",
    examples: ["nodepass version"],
    flags: [jsonFlag, helpFlag],
    completes: "nothing",
  },
  {
    name: "help",
    usage: "nodepass help [topic]",
    summary: "explain a command or a topic",
    examples: ["nodepass help url", "nodepass help server"],
    flags: [jsonFlag, helpFlag],
    completes: "topics",
  },
];

/** The command of this name. */
export function commandNamed(name: string): CommandSummary | null {
  return commands.find((command) => command.name === name) ?? null;
}
