/**
 * Reading a failed bind: is the address simply not this machine's to take?
 *
 * @module
 */
import { NodePassError } from "../errors.ts";

/** True when the address belongs to another machine, or to a service that already listens there. */
export function isElsewhere(error: unknown): boolean {
  return error instanceof NodePassError &&
    (error.code === "address_in_use" || error.code === "address_not_available" || error.code === "name_not_found");
}
