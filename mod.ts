/**
 * TCP and UDP tunnel, relay and single-end forwarder for Deno and Node.
 *
 * @module
 */

export { NodePassError } from "./src/errors.ts";
