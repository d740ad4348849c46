import { Buffer } from "node:buffer";
import { readFile, stat, writeFile } from "node:fs/promises";
import type { CommandContext } from "../../src/command/context.ts";
import { stateCommand } from "../../src/command/state.ts";
import { type ErrorCode, messageOf, NodePassError } from "../../src/errors.ts";
import { deepEqual, equal, match, notEqual, ok, test } from "../harness.ts";
import { inStateFolder, runtime, StateFolder, stateOf } from "../unit/master/state_file_fixture.ts";

/** The state of a real Go master. */
const GO_STATE = new URL("../fixtures/gob/state-1.14.gob", import.meta.url);

interface Outcome {
  readonly code: ErrorCode | 0;
  readonly out: string;
  /** Standard error, or the message of what was thrown. */
  readonly trouble: string;
}

/** Runs `nodepass state` with `NP_STATE_DIR` set to `home`. */
async function state(home: string, ...args: string[]): Promise<Outcome> {
  let [out, trouble] = ["", ""];
  const process = {
    ...runtime.process,
    args: [],
    env: (name: string) => name === "NP_STATE_DIR" ? home : undefined,
    stdout: (text: string) => void (out += text),
    writeOutput: (bytes: Uint8Array) => Promise.resolve(void (out += Buffer.from(bytes).toString("base64"))),
    stderr: (text: string) => void (trouble += text),
  };
  const context = { runtime: { ...runtime, process } } as unknown as CommandContext;
  try {
    equal(await stateCommand(args, context), 0);
    return { code: 0, out, trouble };
  } catch (error) {
    ok(error instanceof NodePassError, String(error));
    return { code: error.code, out, trouble: messageOf(error) };
  }
}

async function withState(run: (home: string, folder: StateFolder) => Promise<void>): Promise<void> {
  await inStateFolder(async ({ path }) => {
    const folder = new StateFolder(`${path}/state`);
    await folder.run(stateOf(2));
    await run(path, folder);
  });
}

test("nodepass state key prints the key, also while a master runs", () =>
  withState(async (home, folder) => {
    const { apiKey } = stateOf(2);
    deepEqual(await state(home, "key"), { code: 0, out: `${apiKey}\n`, trouble: "" });
    const store = await folder.open();
    equal((await state("/none", "key", "--state-dir", home)).out, `${apiKey}\n`);
    deepEqual(JSON.parse((await state(home, "key", "--json")).out), { key: apiKey });
    await store.close();
  }));

test("nodepass state key --rotate makes a new key and keeps the rest", () =>
  withState(async (home, folder) => {
    const { out } = await state(home, "key", "--rotate");
    match(out, /^[0-9a-f]{32}\n$/);
    notEqual(out.trim(), stateOf(2).apiKey);
    equal((await state(home, "key")).out, out);
    deepEqual(await folder.run(), stateOf(2, { apiKey: out.trim() }));
  }));

test("nodepass state changes nothing while a master runs", () =>
  withState(async (home, folder) => {
    const file = folder.at("../export.json");
    equal((await state(home, "export", "--out", file)).code, 0);
    const store = await folder.open();
    for (const args of [["key", "--rotate"], ["import", file, "--replace"]]) {
      const { code, trouble } = await state(home, ...args);
      equal(code, "locked");
      match(trouble, new RegExp(`^Cannot use the state in .*: process ${runtime.process.pid} holds it$`));
    }
    await store.close();
    deepEqual(await folder.run(), stateOf(2));
  }));

test("nodepass state export and import carry a state over", () =>
  withState(async (home, folder) => {
    const file = folder.at("../export.json");
    const written = await state(home, "export", "--format", "json", "--out", file);
    deepEqual([written.code, written.out], [0, ""]);
    match(written.trouble, /it holds the API key/);
    equal((await stat(file)).mode & 0o777, 0o600);
    equal((await state(home, "export")).out, `${await runtime.files.readText(file)}\n`);
    await writeFile(file, (await state(home, "export")).out);

    const other = `${home}/other`;
    deepEqual(await state(other, "import", file), {
      code: 0,
      out: `Imported 2 instances into ${other}/state\n`,
      trouble: "",
    });
    deepEqual(await new StateFolder(`${other}/state`).run(), stateOf(2));
    match((await state(other, "import", file)).trouble, /2 instances are there already, --replace removes them$/);
    await new StateFolder(`${other}/state`).run(stateOf(5, { run: 90 }));
    const replaced = await state(other, "import", file, "--replace", "--json");
    deepEqual(JSON.parse(replaced.out), {
      ...{ directory: `${other}/state`, instances: 2 },
      ...{ newKey: false, changes: [] },
    });
    deepEqual(await new StateFolder(`${other}/state`).run(), stateOf(2, { run: 90 }));
  }));

test("nodepass state imports the state of a Go master and exports it again", () =>
  inStateFolder(async ({ path: home }) => {
    const file = `${home}/nodepass.gob`;
    await writeFile(file, await readFile(GO_STATE));
    for (const args of [["--from", file], [file, "--replace"]]) {
      const { code, out } = await state(home, "import", ...args);
      equal(code, 0);
      equal(
        out,
        `Imported 2 instances into ${home}/state\n` +
          "- 2 instances without wire= in the URL keep speaking wire=1.14 to Go peers\n",
      );
    }
    equal((await state(home, "key")).out, "b80b310d12a9752c77c5ed16cca18a2d\n");
    const exported = `${home}/out.gob`;
    const written = await state(home, "export", "--format", "gob", "--out", exported);
    equal(written.trouble, `nodepass: wrote ${exported}: it holds the API key and the keys of tunnels\n`);
    equal((await stat(exported)).mode & 0o777, 0o600);
    equal((await state(home, "export", "--format", "gob")).out, (await readFile(exported)).toString("base64"));

    const other = `${home}/other`;
    equal((await state(other, "import", "--from", exported)).code, 0);
    const [first, second] = [new StateFolder(`${home}/state`), new StateFolder(`${other}/state`)];
    deepEqual(await second.run(), await first.run());
  }));

test("nodepass state export tells what a Go master cannot run", () =>
  withState(async (home) => {
    const { trouble } = await state(home, "export", "--format", "gob");
    match(trouble, /^nodepass: 2 instances with wire=secure: a Go master runs them with its own wire/);
  }));

test("nodepass state says what it cannot do", () =>
  withState(async (home, folder) => {
    const gob = folder.at("../nodepass.gob");
    const recorded = await readFile(GO_STATE);
    await writeFile(gob, recorded.subarray(0, 700));
    const cut = folder.at("../cut.json");
    await writeFile(cut, (await state(home, "export")).out.slice(0, -20));
    const cases: [args: string[], code: ErrorCode, message: RegExp][] = [
      [
        ["import", "--from", gob],
        "corrupt",
        /^Cannot import .*nodepass\.gob: byte 428: the message has 628 bytes, the file 269 more$/,
      ],
      [["import", cut], "corrupt", /^Cannot import .*cut\.json: it is not JSON, or cut short$/],
      [["import", `${home}/none`], "not_found", /^Cannot read .*none: no such file$/],
      [["import"], "usage", /expected nodepass state key/],
      [["import", cut, "--from", cut], "usage", /expected nodepass state key/],
      [[], "usage", /^Cannot tell what to do with the state: expected nodepass state key/],
      [["key", "extra"], "usage", /expected nodepass state key/],
      [["export", "--format", "xml"], "usage", /^Flag --format is "xml": expected json or gob$/],
      [["key", "--state-dir", `${home}/none`], "not_found", /no master was started there yet$/],
      [["key", "--rotate", "--state-dir", `${home}/none`], "not_found", /no master was started there yet$/],
    ];
    for (const [args, code, message] of cases) {
      const outcome = await state(home, ...args);
      deepEqual([outcome.code, outcome.out], [code, ""], args.join(" "));
      match(outcome.trouble, message);
    }
    equal(await runtime.files.exists(`${home}/none`), false);
    deepEqual(await folder.run(), stateOf(2));
  }));

test("nodepass state key names damaged copies, and goes on with a good one", () =>
  withState(async (home, folder) => {
    await folder.run();
    await writeFile(folder.at("nodepass.json"), "");
    const first = await state(home, "key");
    equal(first.out, `${stateOf(2).apiKey}\n`);
    match(first.trouble, /A copy of the state is damaged path=\S+nodepass\.json reason="it is empty"/);
    deepEqual(await folder.names(), ["nodepass.json", "nodepass.json.1"]);
    await writeFile(folder.at("nodepass.json.1"), "{}");
    const { code, trouble } = await state(home, "key");
    equal(code, "corrupt");
    match(trouble, /no copy is valid\n.*nodepass\.json: it is empty\n.*nodepass\.json\.1: it has no checksum\n/);
  }));
