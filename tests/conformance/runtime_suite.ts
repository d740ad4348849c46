/**
 * What every runtime adapter must do.
 *
 * @module
 */
import type { Runtime } from "../../src/runtime/types.ts";
import { filesSuite } from "./runtime_files_suite.ts";
import { netSuite } from "./runtime_net_suite.ts";
import { processesSuite } from "./runtime_processes_suite.ts";
import { systemSuite } from "./runtime_system_suite.ts";
import { tlsSuite } from "./runtime_tls_suite.ts";
import { udpSuite } from "./runtime_udp_suite.ts";
import { upgradableSuite } from "./runtime_upgradable_suite.ts";
import { webSocketSuite } from "./runtime_web_socket_suite.ts";

/** Differences that the product knows about. */
export interface RuntimeTraits {
  /** `reset` really resets. */
  readonly resets: boolean;
}

/** Registers all tests for one adapter. */
export function runtimeSuite(name: string, runtime: Runtime, traits: RuntimeTraits): void {
  netSuite(name, runtime, traits.resets);
  tlsSuite(name, runtime);
  upgradableSuite(name, runtime);
  webSocketSuite(name, runtime);
  udpSuite(name, runtime);
  filesSuite(name, runtime);
  processesSuite(name, runtime);
  systemSuite(name, runtime);
}
