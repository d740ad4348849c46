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
  { name: "format", placeholder: "json", meaning: "export: form of the file", values: ["json"] },
  { name: "out", short: "o", placeholder: "file", meaning: "export: write a file that only you can read", file: true },
  { name: "replace", placeholder: null, meaning: "import: take the place of the instances that are there" },
  jsonFlag,
  helpFlag,
];

/** How it is called. */
export const stateUsage = "nodepass state key [--rotate] | export [--out file] | import <file> [--replace]";
