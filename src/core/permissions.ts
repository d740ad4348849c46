/**
 * The Deno permissions that Core needs, and no more.
 *
 * @module
 */
import { type CoreSettings, coreVariables } from "./settings.ts";
import { dirname } from "./store/folder.ts";

/** Flags for `deno run`, and why they are as wide as they are. */
export interface CorePermissions {
  readonly flags: readonly string[];
  readonly notes: readonly string[];
}

/** What libraries look for besides: those of gRPC and PostgreSQL. */
const LIBRARY_VARIABLES: Readonly<Record<"always" | "postgres", readonly string[]>> = {
  always: [
    "NO_COLOR",
    "GRPC_NODE_VERBOSITY",
    "GRPC_VERBOSITY",
    "GRPC_NODE_TRACE",
    "GRPC_TRACE",
    "GRPC_SSL_CIPHER_SUITES",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    "GRPC_NODE_USE_ALTERNATIVE_RESOLVER",
    "GRPC_NODE_DEBUG_SEND_ERROR_DETAILS",
    "GRPC_EXPERIMENTAL_ENABLE_OUTLIER_DETECTION",
  ],
  postgres: [
    ...["PGHOST", "PGPORT", "PGUSER", "PGUSERNAME", "PGPASSWORD", "PGDATABASE", "PGAPPNAME"],
    ...["PGSSL", "PGSSLNEGOTIATION", "PGTARGETSESSIONATTRS", "PGTARGET_SESSION_ATTRS", "PGPUBLICATIONS"],
    ...["PGFETCH_TYPES", "PGDEBUG", "PGKEEP_ALIVE", "PGMAX_PIPELINE", "PGMAX_LIFETIME"],
  ],
};

/** Flags for `deno run` under which this Core works with `--no-prompt`, in a fixed order. */
export function corePermissions({ database, tls, ipInfo, redisUrl }: CoreSettings): CorePermissions {
  const folder = database.kind === "sqlite" && database.path !== "" ? [dirname(database.path)] : [];
  const certificates = tls === null ? [] : [tls.certFile, tls.keyFile, tls.clientCaFile];
  const read = [...folder, ...certificates, ipInfo.mmdbPath].filter((path) => path !== null).map(escapeComma);
  const variables = [
    ...coreVariables.map(({ name }) => name),
    ...LIBRARY_VARIABLES.always,
    ...database.kind === "postgres" ? LIBRARY_VARIABLES.postgres : [],
  ];
  const flags = [
    "--allow-net",
    ...read.length === 0 ? [] : [`--allow-read=${read.join(",")}`],
    ...folder.map((path) => `--allow-write=${escapeComma(path)}`),
    redisUrl === null ? `--allow-env=${variables.join(",")}` : "--allow-env",
  ];
  return { flags, notes: redisUrl === null ? [netNote] : [netNote, redisNote] };
}

const netNote = "nodes, webhooks and providers of address data are dialled where they are: no address would narrow " +
  "--allow-net";
const redisNote = "the Redis driver lists all variables, looking for DEBUG: without REDIS_URL names would narrow " +
  "--allow-env";

function escapeComma(path: string): string {
  return path.replaceAll(",", ",,");
}
