/**
 * A TCP relay for tests that slows, stalls, cuts and falsifies the connections it carries. As a command:
 * `scripts/fault_relay/main.ts`.
 *
 * @module
 */
export { type FaultRelay, type FaultRelayOptions, startFaultRelay } from "./fault_relay/relay.ts";
export type { RelayedConnection } from "./fault_relay/connection.ts";
export { type Direction, type Directions, type Faults, NO_FAULTS } from "./fault_relay/faults.ts";
