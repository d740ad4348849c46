/**
 * The command: arguments and environment to configuration, start, wait for a signal, close. The only caller of exit.
 *
 * @module
 */
import { detectRuntime } from "./src/runtime/detect.ts";

const runtime = await detectRuntime();
if (runtime.threads.parent !== null) {
  // In one file with everything else, this module is what a worker runs too.
  await import("./src/start/worker.ts");
} else {
  // First thing, before the rest is even loaded: arguments may hold a key, and process lists show them.
  runtime.process.setTitle("nodepass");
  const { runCommand } = await import("./src/command/run_command.ts");
  runtime.process.exit(
    await runCommand(runtime.process.args, {
      runtime,
      startTunnel: async (...call) => await (await import("./src/start/tunnel.ts")).startTunnel(...call),
      workerModules: async () => (await import("./src/start/worker.ts")).workerModules(),
    }),
  );
}
