/**
 * The one layer that HTTP and gRPC call.
 *
 * @module
 */
export type * from "./node_calls.ts";
