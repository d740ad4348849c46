import { denoRuntime } from "../../src/runtime/deno/runtime.ts";
import { nodeRuntime } from "../../src/runtime/node/runtime.ts";
import { underDeno } from "../harness.ts";
import { runtimeSuite } from "./runtime_suite.ts";

if (underDeno) {
  runtimeSuite("deno", denoRuntime, { resets: false });
  runtimeSuite("node modules under deno", nodeRuntime, { resets: true });
} else {
  runtimeSuite("node", nodeRuntime, { resets: true });
}
