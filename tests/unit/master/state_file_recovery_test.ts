import { mkdir, readFile, writeFile } from "node:fs/promises";
import { NodePassError } from "../../../src/errors.ts";
import { readState } from "../../../src/master/state_file/open.ts";
import { canonicalJson, seal } from "../../../src/master/state_file/sealed.ts";
import { deepEqual, equal, match, ok, rejects, test } from "../../harness.ts";
import { instanceOf, inStateFolder, runtime, type StateFolder, stateOf } from "./state_file_fixture.ts";

const older = stateOf(1);
const newer = stateOf(2);
const main = "nodepass.json";

/** Damages a file in every way there is: `count` of each kind that has many. */
function* damages(bytes: Uint8Array, count: number): Generator<[kind: string, bytes: Uint8Array]> {
  yield ["empty", new Uint8Array(0)];
  yield ["zeros", new Uint8Array(bytes.length)];
  yield ["not an object", new TextEncoder().encode("[]")];
  yield ["another JSON", new TextEncoder().encode('{"schema":1}')];
  yield ["doubled", new Uint8Array([...bytes, ...bytes])];
  for (let index = 0; index < count; index++) {
    const length = Math.floor((bytes.length - 1) * index / count) + 1;
    yield [`cut to ${length}`, bytes.subarray(0, Math.min(length, bytes.length - 1))];
    const flipped = new Uint8Array(bytes);
    const place = Math.floor(bytes.length * index / count);
    flipped[place] = (flipped[place] ?? 0) ^ (1 << (index % 8));
    yield [`bit ${index % 8} of byte ${place} flipped`, flipped];
    const zeroed = new Uint8Array(bytes);
    yield [`zeroes from ${place}`, zeroed.fill(0, place)];
  }
}

async function fill(folder: StateFolder): Promise<void> {
  await folder.run(older);
  await folder.run(newer);
}

async function refusal(folder: StateFolder): Promise<NodePassError> {
  try {
    await folder.run();
  } catch (error) {
    ok(error instanceof NodePassError, String(error));
    return error;
  }
  throw new Error("expected a refusal");
}

test("A damaged state is set aside and the copy before it counts, whatever the damage", () =>
  inStateFolder(async (folder) => {
    await fill(folder);
    const good = await readFile(folder.at(main));
    const previous = await readFile(folder.at(`${main}.1`));
    let cases = 0;
    for (const [kind, bytes] of damages(good, 60)) {
      cases++;
      await writeFile(folder.at(main), bytes);
      await writeFile(folder.at(`${main}.1`), previous);
      deepEqual(await readState(folder.options), older, kind);
      deepEqual(await folder.run(), older, kind);
      deepEqual(await readFile(folder.at(main)), previous, kind);
      const aside = (await folder.names()).filter((name) => name.includes(".corrupt-"));
      equal(aside.length, 1, kind);
      match(aside[0] ?? "", /^nodepass\.json\.corrupt-\d{8}T\d{6}Z$/);
      deepEqual(new Uint8Array(await readFile(folder.at(aside[0] ?? ""))), new Uint8Array(bytes), kind);
      await runtime.files.remove(folder.at(aside[0] ?? ""));
      match(folder.log.splice(0).join("\n"), /damaged and was set aside[\s\S]*restored from an older copy/);
    }
    equal(cases, 185);
  }));

test("Copies that are all damaged are refused and left as they are, with no new key", () =>
  inStateFolder(async (folder) => {
    await fill(folder);
    const good = await readFile(folder.at(main));
    await runtime.files.remove(folder.at(`${main}.1`));
    for (const [kind, bytes] of damages(good, 25)) {
      await writeFile(folder.at(main), bytes);
      const error = await refusal(folder);
      equal(error.code, "corrupt", kind);
      match(error.message, /^Cannot use the state in .*: no copy is valid\n.*nodepass\.json: it/);
      ok(!error.message.includes("secret") && !error.message.includes(newer.apiKey), error.message);
      deepEqual(await folder.names(), [main], kind);
      deepEqual(new Uint8Array(await readFile(folder.at(main))), new Uint8Array(bytes), kind);
      await rejects(readState(folder.options), (thrown: NodePassError) => thrown.code === "corrupt");
    }
  }));

test("The newest valid copy counts, wherever it is", () =>
  inStateFolder(async (folder) => {
    await fill(folder);
    const [good, previous] = [await readFile(folder.at(main)), await readFile(folder.at(`${main}.1`))];
    await writeFile(folder.at(`${main}.backup`), good);
    await writeFile(folder.at(main), "");
    deepEqual(await folder.run(), newer);
    await writeFile(folder.at(main), "");
    await writeFile(folder.at(`${main}.1`), "");
    await writeFile(folder.at(`${main}.backup`), previous);
    deepEqual(await folder.run(), older);
    equal((await folder.names()).filter((name) => name.includes(".corrupt-")).length, 3);
    // A kill between setting aside and putting the good copy in its place.
    await runtime.files.remove(folder.at(main));
    deepEqual(await folder.run(), older);
    ok(await runtime.files.exists(folder.at(main)));
    // A good state next to a bad copy of older times.
    await writeFile(folder.at(`${main}.backup`), "{");
    deepEqual(await folder.run(), older);
  }));

test("A state of a later version is refused, not passed over for an older copy", () =>
  inStateFolder(async (folder) => {
    await fill(folder);
    const later = await seal({ schema: 2, revision: 9, state: { everything: "else" } });
    await writeFile(folder.at(main), later);
    const error = await refusal(folder);
    equal(error.code, "not_supported");
    match(error.message, /^Cannot use the state in .*nodepass\.json: a later version wrote it \(schema 2, /);
    deepEqual(new Uint8Array(await readFile(folder.at(main))), later);
    deepEqual(await folder.names(), [main, `${main}.1`]);
  }));

test("A state that cannot be read counts as damaged where the disk fails, and is refused where it is not ours", () =>
  inStateFolder(async (folder) => {
    await fill(folder);
    const { files } = folder;
    for (const code of ["permission_denied", "io"] as const) {
      folder.files = {
        ...files,
        readBytes: (path, limit) =>
          path.endsWith(main)
            ? Promise.reject(new NodePassError(code, `Cannot read ${path}: refused`))
            : files.readBytes(path, limit),
      };
      if (code === "permission_denied") equal((await refusal(folder)).code, code);
      else deepEqual(await folder.run(), older);
    }
    folder.files = files;
    await runtime.files.remove(folder.at(main));
    await mkdir(folder.at(main));
    deepEqual(await folder.run(), older);
  }));

test("Members of a wrong kind are refused though the checksum fits", () =>
  inStateFolder(async (folder) => {
    const good = JSON.parse(canonicalJson(newer as never));
    const instance = JSON.parse(canonicalJson(instanceOf(1) as never));
    const wrong: [place: string, state: unknown][] = [
      ["apiKey", { ...good, apiKey: "SHORT" }],
      ["masterId", { ...good, masterId: null }],
      ["run", { ...good, run: -1 }],
      ["wire", { ...good, wire: "2.0" }],
      ["instances", { ...good, instances: [instance, instance] }],
      ["instances.0.id", { ...good, instances: [{ ...instance, id: "********" }] }],
      ["instances.0.url", { ...good, instances: [{ ...instance, url: 1 }] }],
      ["instances.0.meta.tags", { ...good, instances: [{ ...instance, meta: { ...instance.meta, tags: { a: 1 } } }] }],
      ["instances.0.counters.tcprx", { ...good, instances: [{ ...instance, counters: { tcprx: 0.5 } }] }],
    ];
    for (const [place, state] of wrong) {
      await writeFile(folder.at(main), await seal({ schema: 1, revision: 1, state: state as never }));
      const { code, message } = await refusal(folder);
      equal(code, "corrupt");
      ok(message.includes(`its member ${place} is not`), message);
    }
  }));

test("What an interrupted save left behind is removed", () =>
  inStateFolder(async (folder) => {
    await fill(folder);
    await writeFile(folder.at(".nodepass.json.0123456789ab.tmp"), "half");
    await writeFile(folder.at("notes.txt"), "somebody's");
    deepEqual(await folder.run(), newer);
    deepEqual(await folder.names(), [main, `${main}.1`, "notes.txt"]);
  }));
