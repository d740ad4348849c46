/**
 * The flags of `nodepass master`: one per parameter of its URL.
 *
 * @module
 */
import { parametersOf } from "../config/parameters.ts";
import type { Flag } from "./flags.ts";
import { logFormatFlag } from "./tunnel_flags.ts";

/** Where the state is. */
export const stateDirFlag: Flag = {
  name: "state-dir",
  placeholder: "folder",
  meaning: "folder of the state, instead of NP_STATE_DIR or the usual place",
  file: true,
};

/** The flags of `nodepass master`, and of a URL with that scheme. */
export const masterFlags: readonly Flag[] = [
  ...parametersOf("master").map(({ name, placeholder, meaning, values }): Flag => ({
    name,
    placeholder,
    meaning,
    ...(values === undefined ? {} : { values }),
    file: name === "crt" || name === "key",
  })),
  stateDirFlag,
  logFormatFlag,
];
