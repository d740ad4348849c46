/**
 * Flags of `nodepass core`.
 *
 * @module
 */
import { type Flag, helpFlag, jsonFlag } from "./flags.ts";
import { logFormatFlag } from "./tunnel_flags.ts";

/** How much is written. */
export const logLevelFlag: Flag = {
  name: "log",
  placeholder: "level",
  meaning: "lowest level of log lines: debug, info, warn, error or none",
  values: ["debug", "info", "warn", "error", "none"],
};

/** Flags of all its parts. */
export const coreFlags: readonly Flag[] = [
  { name: "name", placeholder: "text", meaning: "token create: what the token is for" },
  {
    name: "scopes",
    placeholder: "list",
    meaning: "token create: read, write or admin, which each include those before (admin)",
  },
  { name: "expires", placeholder: "duration", meaning: 'token create: when it ends, such as "30d" or "12h" (never)' },
  logLevelFlag,
  logFormatFlag,
  jsonFlag,
  helpFlag,
];

/** How it is called. */
export const coreUsage =
  "nodepass core [run] | demo | token create [--name text] [--scopes read,write,admin] [--expires duration]";
