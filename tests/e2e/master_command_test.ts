/** What `nodepass master` says to a person, and that it goes when it is told. */
import { runCommand } from "../../src/command/run_command.ts";
import { startTunnel } from "../../src/start/tunnel.ts";
import type { SignalName } from "../../src/runtime/types.ts";
import { equal, match, ok, test } from "../harness.ts";
import { inStateFolder, runtime } from "../unit/master/state_file_fixture.ts";

interface Told {
  readonly code: number;
  readonly text: string;
}

/** Runs the command on a terminal until it has started, then ends it. */
async function startAndStop(directory: string, ...flags: string[]): Promise<Told> {
  let text = "";
  const signals = new Map<SignalName, () => void>();
  const started = Promise.withResolvers<void>();
  const process = Object.create(runtime.process, {
    env: { value: (name: string) => ({ NP_STATE_DIR: directory, NP_ENGINES: "0", NO_COLOR: "1" })[name] },
    stdoutIsTerminal: { value: true },
    setTitle: { value: () => {} },
    stdout: {
      value: (part: string) => {
        text += part;
        if (text.includes("Master started")) started.resolve();
      },
    },
    stderr: {
      value: (part: string) => {
        text += part;
        started.resolve();
      },
    },
    onSignal: {
      value: (name: SignalName, handler: () => void) => {
        signals.set(name, handler);
        return () => signals.delete(name);
      },
    },
  });
  const running = runCommand(["master", "master://127.0.0.1:0/np", ...flags], {
    runtime: Object.create(runtime, { process: { value: process } }),
    startTunnel,
  });
  await started.promise;
  signals.get("SIGTERM")?.();
  const code = await running;
  equal(signals.size, 0);
  return { code, text };
}

test("nodepass master shows address and key to a person, at the first start alone", () =>
  inStateFolder(async ({ path }) => {
    const first = await startAndStop(path);
    equal(first.code, 0);
    const key = /^API key {4}([0-9a-f]{32})$/m.exec(first.text)?.[1] ?? "";
    const api = /^API {8}(http:\/\/127\.0\.0\.1:\d+\/np\/v1)$/m.exec(first.text)?.[1] ?? "";
    ok(key !== "" && api !== "", first.text);
    match(first.text, /^Dashboard {2}http:\/\/127\.0\.0\.1:\d+\/np\/$/m);
    ok(first.text.includes(`np://master?url=${btoa(api)}&key=${btoa(key)}`));
    const second = await startAndStop(path);
    equal(second.code, 0);
    ok(!second.text.includes(key) && !second.text.includes("np://"), second.text);
  }));

test("nodepass master refuses what it cannot start with, says why, and leaves no key that nobody saw", () =>
  inStateFolder(async ({ path }) => {
    const wrong = await startAndStop(path, "--tls", "2");
    equal(wrong.code, 2);
    match(wrong.text, /Parameter "tls" is "2": expected crt and key beside tls=2/);
    const missing = await startAndStop(path, "--tls", "2", "--crt", "/nowhere/c.pem", "--key", "/nowhere/k.pem");
    equal(missing.code, 1);
    match(missing.text, /^nodepass: Cannot read \/nowhere\/[ck]\.pem: no such file$/m);
    match((await startAndStop(path)).text, /^API key/m);
  }));
