/**
 * The command: arguments and environment to configuration, start, wait for a signal, close. The only caller of exit.
 *
 * @module
 */
import { detectRuntime } from "./src/runtime/detect.ts";

const runtime = await detectRuntime();
// First thing, before the rest is even loaded: arguments may hold a key, and process lists show them.
runtime.process.setTitle("nodepass");

const { runCommand } = await import("./src/command/run_command.ts");
const { startTunnel } = await import("./src/start/tunnel.ts");
runtime.process.exit(await runCommand(runtime.process.args, { runtime, startTunnel }));
