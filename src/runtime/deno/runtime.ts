/**
 * The Deno adapter: native sockets where they can do what the product needs, `node:` modules elsewhere.
 *
 * @module
 */
import { systemClock } from "../clock.ts";
import { toNodePassError } from "../error_map.ts";
import { nodeProcesses } from "../node/processes.ts";
import { nodeWebSockets } from "../node/web_sockets.ts";
import { systemRandom } from "../random.ts";
import type { Runtime } from "../types.ts";
import { denoFiles } from "./files.ts";
import { denoNet } from "./net.ts";
import { lateDns } from "./node_parts.ts";
import { denoProcess } from "./process.ts";
import { denoThreads } from "./threads.ts";
import { denoTls } from "./tls.ts";
import { denoUdp } from "./udp.ts";

/** Everything on Deno. */
export const denoRuntime: Runtime = Object.freeze<Runtime>({
  name: "deno",
  net: denoNet,
  tls: denoTls,
  webSockets: nodeWebSockets,
  udp: denoUdp,
  dns: lateDns,
  files: denoFiles,
  process: denoProcess,
  processes: nodeProcesses,
  threads: denoThreads,
  clock: systemClock,
  random: systemRandom,
  toError: toNodePassError,
});
