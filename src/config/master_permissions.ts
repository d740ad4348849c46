/**
 * The Deno permissions that a master needs, and no more.
 *
 * @module
 */
import type { MasterConfig } from "./master_url.ts";
import type { Permissions } from "./permissions.ts";
import { settingVariables } from "./settings.ts";
import type { Settings } from "./types.ts";

/** Where a master is at home. */
export interface MasterPlaces {
  /** Folder of the state file. */
  readonly stateDirectory: string;
  /** The program that engines are: the runtime. */
  readonly program: string;
  /** State files of a Go master that the first start takes over. */
  readonly takenOver: readonly string[];
}

/**
 * Flags for `deno run` under which this master works with `--no-prompt`, in a fixed order.
 *
 * @param config what its URL says
 * @param settings the environment
 * @param places folders and files that are not in the URL
 */
export function masterPermissions(
  { tls }: MasterConfig,
  { engines }: Pick<Settings, "engines">,
  { stateDirectory, program, takenOver }: MasterPlaces,
): Permissions {
  const write = escapeComma(stateDirectory);
  const certificates = tls.kind === "files" ? [tls.files.chain, tls.files.key] : [];
  const inside = engines === 0;
  const outside = takenOver.filter((path) => !path.startsWith(`${stateDirectory}/`));
  const read = [stateDirectory, ...certificates, ...outside].map(escapeComma).join(",");
  const flags = [
    "--allow-net",
    // Certificates of instances may be anywhere.
    inside ? "--allow-read" : `--allow-read=${read}`,
    `--allow-write=${write}`,
    inside ? `--allow-env=${variables().join(",")}` : "--allow-env",
    ...(inside ? ["--allow-sys"] : [`--allow-run=${escapeComma(program)}`, `--allow-sys=${SYSTEM.join(",")}`]),
    "--unstable-net",
  ];
  const notes = [tcpingNote, inside ? insideNote : runNote, figuresNote];
  const [first] = takenOver;
  if (first !== undefined) notes.push(`the first start takes ${first} over, and needs to read it this once`);
  return { flags, notes };
}

/** What `/info` asks the system for. */
const SYSTEM: readonly string[] = ["hostname", "systemMemoryInfo", "osUptime", "cpus"];

const tcpingNote = "/tcping dials what its callers name: no address would narrow --allow-net";
const runNote = "engines are the runtime, started again with --allow-net, --allow-env, --allow-read and --allow-sys: " +
  "whoever may run a runtime has full access, NP_ENGINES=0 needs no --allow-run";
const insideNote = "NP_ENGINES=0 runs tunnels in this process, which takes what any tunnel may need";
const figuresNote = "network and disk figures of /info come from /proc, which Deno opens with --allow-all alone";

function variables(): string[] {
  const own = settingVariables.map(({ name }) => name);
  const homes = ["XDG_STATE_HOME", "HOME", "LOCALAPPDATA"];
  return [...own, "NO_COLOR", ...homes, "NODE_USE_SYSTEM_CA", "DENO_CERT", "DENO_TLS_CA_STORE", "WS_NO_BUFFER_UTIL"];
}

function escapeComma(path: string): string {
  return path.replaceAll(",", ",,");
}
