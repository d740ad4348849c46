import { denoRuntime } from "../../src/runtime/deno/runtime.ts";
import { nodeRuntime } from "../../src/runtime/node/runtime.ts";
import type { SignalName } from "../../src/runtime/types.ts";

const [runtimeName, signal] = nodeRuntime.process.args;
const runtime = runtimeName === "deno" ? denoRuntime : nodeRuntime;

if (signal === "exit") {
  runtime.process.stdout("ready tunnel äöü\n");
  runtime.process.exit(7);
}
const stop = runtime.process.onSignal(signal as SignalName, () => {
  stop();
  runtime.process.stdout(`got ${signal}\n`);
});
runtime.process.stdout("ready tunnel äöü\n");
// Only a signal ends this.
runtime.clock.every(1_000, () => {});
