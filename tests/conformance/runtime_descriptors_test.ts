import { spawnSync } from "node:child_process";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { equal, match, test } from "../harness.ts";
import { startChild } from "./runtime_children.ts";
import { owning, timeoutMs } from "./runtime_scope.ts";

const files = 64;
const options = spawnSync("prlimit", ["--version"]).status === 0 ? {} : { skip: "needs prlimit" };
const { net } = await detectRuntime();

test(
  "Listener.accept() says so when no descriptor is left, and goes on when there is one again",
  () =>
    owning(async (own) => {
      const child = startChild("runtime_descriptors_child.ts");
      own({
        async close() {
          child.kill("SIGKILL");
          await child.ended;
        },
      });
      const [port, pid] = (await child.line()).split(" ").map(Number);
      spawnSync("prlimit", ["--pid", String(pid), `--nofile=${files}:${files}`]);
      const address = { host: "127.0.0.1", port: port!, timeoutMs };
      for (let count = 0; count < files; count++) own(await net.connect(address));
      equal(await child.line(), "accepted");
      match(await child.line(), /^Cannot accept on 127\.0\.0\.1:[1-9]\d*: too many open files$/);
      own(await net.connect(address));
      equal(await child.line(), "accepted");
    }),
  options,
);
