import { denoRuntime } from "../../src/runtime/deno/runtime.ts";
import { nodeRuntime } from "../../src/runtime/node/runtime.ts";
import { messageOf } from "../../src/errors.ts";

const [runtimeName, path] = nodeRuntime.process.args;
const { files, process, clock } = runtimeName === "deno" ? denoRuntime : nodeRuntime;

try {
  await files.lock(path ?? "");
  process.stdout(`held ${process.pid}\n`);
  // Only a signal ends this.
  clock.every(1_000, () => {});
} catch (error) {
  process.stdout(`${messageOf(error)}\n`);
}
