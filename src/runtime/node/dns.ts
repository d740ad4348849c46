/**
 * Name resolution of the system, hosts file included: `getaddrinfo` on both runtimes.
 *
 * @module
 */
import { lookup } from "node:dns/promises";
import { toNodePassError } from "../error_map.ts";
import { NodePassError } from "../../errors.ts";
import type { Dns } from "../types.ts";

/** The system's resolver. */
export const nodeDns: Dns = {
  async resolve(name) {
    const action = `Cannot resolve ${name}`;
    let found: { address: string }[];
    try {
      found = await lookup(name, { all: true, order: "verbatim" });
    } catch (error) {
      throw toNodePassError(error, action);
    }
    if (found.length === 0) throw new NodePassError("name_not_found", `${action}: name not found`);
    return [...new Set(found.map(({ address }) => address))];
  },
};
