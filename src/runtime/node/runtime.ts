/**
 * The Node adapter.
 *
 * @module
 */
import { systemClock } from "../clock.ts";
import { toNodePassError } from "../error_map.ts";
import { systemRandom } from "../random.ts";
import type { Runtime } from "../types.ts";
import { nodeDns } from "./dns.ts";
import { nodeFiles } from "./files.ts";
import { nodeNet } from "./net.ts";
import { nodeProcess } from "./process.ts";
import { nodeProcesses } from "./processes.ts";
import { nodeThreads } from "./threads.ts";
import { nodeTls } from "./tls.ts";
import { nodeUdp } from "./udp.ts";
import { nodeWebSockets } from "./web_sockets.ts";

/** Everything on `node:` modules. */
export const nodeRuntime: Runtime = Object.freeze<Runtime>({
  name: "node",
  net: nodeNet,
  tls: nodeTls,
  webSockets: nodeWebSockets,
  udp: nodeUdp,
  dns: nodeDns,
  files: nodeFiles,
  process: nodeProcess,
  processes: nodeProcesses,
  threads: nodeThreads,
  clock: systemClock,
  random: systemRandom,
  toError: toNodePassError,
});
