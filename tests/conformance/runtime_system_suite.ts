import type { Runtime } from "../../src/runtime/types.ts";
import { deepEqual, equal, notEqual, ok, rejects, test } from "../harness.ts";
import { startChild } from "./runtime_children.ts";
import { failure } from "./runtime_scope.ts";

/** Names, this process, time, randomness. */
export function systemSuite(name: string, runtime: Runtime): void {
  test(`${name}: dns.resolve() knows the hosts file and literal addresses`, async () => {
    const found = await runtime.dns.resolve("localhost");
    ok(found.some((ip) => ip === "127.0.0.1" || ip === "::1"), found.join());
    deepEqual(await runtime.dns.resolve("192.0.2.7"), ["192.0.2.7"]);
    deepEqual(await runtime.dns.resolve("::1"), ["::1"]);
  });

  test(`${name}: dns.resolve() of an unknown name says name_not_found`, async () => {
    const message = /^Cannot resolve nodepass\.invalid: name not found$/;
    await rejects(runtime.dns.resolve("nodepass.invalid"), failure("name_not_found", message));
  });

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    test(`${name}: process.onSignal() calls back at ${signal}, and no more once it was removed`, async () => {
      const child = startChild("runtime_signal_child.ts", runtime.name, signal);
      equal(await child.line(), "ready tunnel äöü");
      child.kill(signal);
      equal(await child.line(), `got ${signal}`);
      child.kill(signal);
      equal(await child.ended, signal);
    });
  }

  test(`${name}: process.exit() ends with its code after what was printed`, async () => {
    const child = startChild("runtime_signal_child.ts", runtime.name, "exit");
    equal(await child.line(), "ready tunnel äöü");
    equal(await child.ended, 7);
  });

  test(`${name}: process says what it knows`, () => {
    ok(runtime.process.pid > 0);
    ok(Array.isArray(runtime.process.args));
    ok(runtime.process.columns > 0);
    equal(typeof runtime.process.stdoutIsTerminal, "boolean");
    equal(runtime.process.env("NODEPASS_NOT_SET_ANYWHERE"), undefined);
    notEqual(runtime.process.env("PATH"), undefined);
    runtime.process.setTitle("nodepass test");
  });

  test(`${name}: clock runs timers once or repeatedly until they are cancelled`, async () => {
    const { clock } = runtime;
    const start = clock.now();
    ok(Math.abs(clock.wall() - Date.now()) < 1_000);
    let never = false;
    clock.after(1, () => {
      never = true;
    }).cancel();
    let count = 0;
    await new Promise<void>((resolve) => {
      const timer = clock.every(1, () => {
        if (++count < 3) return;
        timer.cancel();
        resolve();
      });
    });
    await new Promise<void>((resolve) => void clock.after(5, resolve));
    equal(count, 3);
    equal(never, false);
    ok(clock.now() - start >= 5);
  });

  test(`${name}: random fills any length`, () => {
    equal(runtime.random.bytes(0).length, 0);
    const bytes = runtime.random.bytes(200_000);
    equal(bytes.length, 200_000);
    ok(bytes.subarray(199_900).some((byte) => byte !== 0));
    const fraction = runtime.random.fraction();
    ok(fraction >= 0 && fraction < 1);
  });
}
