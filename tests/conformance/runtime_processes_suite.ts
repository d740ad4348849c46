import { fileURLToPath } from "node:url";
import type { ChildProcess, Runtime } from "../../src/runtime/types.ts";
import { deepEqual, equal, match, ok, test, underDeno } from "../harness.ts";
import { checksum, pattern, text } from "./runtime_scope.ts";

/** Processes that are started. */
export function processesSuite(name: string, runtime: Runtime): void {
  const start = (...args: string[]): ChildProcess => {
    const path = fileURLToPath(new URL("runtime_processes_child.ts", import.meta.url));
    const options = underDeno ? ["run", "--no-check", "-A"] : ["--disable-warning=ExperimentalWarning"];
    return runtime.processes.spawn({
      command: runtime.process.execPath,
      args: [...options, path, ...args],
      env: { NODEPASS_TEST_CHILD: "given" },
    });
  };
  const outputOf = (child: ChildProcess): { text: string } => {
    const output = { text: "" };
    const decoder = new TextDecoder();
    child.onOutput((bytes) => output.text += decoder.decode(bytes, { stream: true }));
    return output;
  };

  test(`${name}: processes.spawn() passes bytes both ways and ends with its input`, async () => {
    const child = start("echo");
    ok(child.pid !== null && child.pid > 0);
    let received = 0;
    let sum = 0;
    child.onOutput((bytes) => {
      sum = checksum(bytes, sum);
      received += bytes.length;
    });
    let trouble = "";
    child.onErrorOutput((bytes) => trouble += new TextDecoder().decode(bytes));
    const bytes = pattern(3_000_000);
    for (let offset = 0; offset < bytes.length; offset += 100_000) {
      await child.write(bytes.subarray(offset, offset + 100_000));
    }
    child.endInput();
    child.endInput();
    deepEqual(await child.exited, { code: 0, signal: null, error: null });
    deepEqual([received, sum, trouble], [bytes.length, checksum(bytes), "end of input"]);
    await child.write(text("late"));
    child.kill();
  });

  test(`${name}: processes.spawn() hands the environment on and adds to it`, async () => {
    const child = start("env", "NODEPASS_TEST_CHILD");
    const output = outputOf(child);
    equal((await child.exited).code, 0);
    equal(output.text, "given full");
  });

  test(`${name}: processes.spawn() tells exit codes and signals`, async () => {
    deepEqual(await start("exit", "7").exited, { code: 7, signal: null, error: null });
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      const child = start("wait");
      await new Promise<void>((resolve) => child.onOutput(() => resolve()));
      child.kill(signal);
      deepEqual(await child.exited, { code: null, signal, error: null });
    }
  });

  test(`${name}: processes.write() waits for a process that does not read, and gives up when it goes`, async () => {
    const child = start("wait");
    await new Promise<void>((resolve) => child.onOutput(() => resolve()));
    let written = false;
    const writing = child.write(pattern(4_000_000)).then(() => written = true);
    await new Promise<void>((resolve) => void runtime.clock.after(50, resolve));
    equal(written, false);
    child.kill();
    await child.exited;
    await writing;
  });

  test(`${name}: processes.spawn() of a program that is not there tells why`, async () => {
    const child = runtime.processes.spawn({ command: "/none/nodepass", args: [], env: {} });
    equal(child.pid, null);
    const { code, error } = await child.exited;
    equal(code, null);
    equal(error?.code, "not_found");
    match(error?.message ?? "", /^Cannot start \/none\/nodepass: no such file$/);
    await child.write(text("x"));
    child.endInput();
    child.kill();
  });

  test(`${name}: process knows its program`, async () => {
    ok(await runtime.files.exists(runtime.process.execPath));
    equal(runtime.process.standalone, false);
  });
}
