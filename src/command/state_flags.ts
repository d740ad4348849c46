/**
 * Flags of `nodepass state`.
 *
 * @module
 */
import { type Flag, helpFlag, jsonFlag } from "./flags.ts";

/** Flags of all its parts. */
export const stateFlags: readonly Flag[] = [
  {
    name: "state-dir",
    placeholder: "folder",
    meaning: "folder of the master's state, instead of NP_STATE_DIR or the usual place",
    file: true,
  },
  { name: "rotate", placeholder: null, meaning: "key: make a new API key, the old one stops working" },
  {
    name: "format",
    placeholder: "json|gob",
    meaning: "export: json to keep or to carry to another machine, gob for a Go master 1.14",
    values: ["json", "gob"],
  },
  { name: "out", short: "o", placeholder: "file", meaning: "export: write a file that only you can read", file: true },
  {
    name: "from",
    placeholder: "file",
    meaning: "import: an export, a state file, or nodepass.gob of a Go master",
    file: true,
  },
  { name: "replace", placeholder: null, meaning: "import: take the place of the instances that are there" },
  jsonFlag,
  helpFlag,
];

/** How it is called. */
export const stateUsage =
  "nodepass state key [--rotate] | export [--format json|gob] [--out file] | import --from file [--replace]";
