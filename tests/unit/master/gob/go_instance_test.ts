/** State files of real Go masters, read and written. */
import { emptyGoInstance, writeGoInstances } from "../../../../src/master/gob/go_instance.ts";
import { readGob } from "../../../../src/master/gob/reader.ts";
import {
  FIRST_DEFINED,
  type GobDefinition,
  GobMap,
  GobStruct,
  type GobValue,
  STRING,
  UINT,
} from "../../../../src/master/gob/types.ts";
import { writeGob } from "../../../../src/master/gob/writer.ts";
import { deepEqual, match, ok, test } from "../../../harness.ts";
import { expected, goInstances, recorded, recordings, refusal, struct } from "./fixtures.ts";

for (const name of recordings) {
  test(`readGoInstances() reads ${name} exactly`, async () => {
    deepEqual(Object.fromEntries(goInstances(await recorded(name))), await expected(name));
  });

  test(`readGoInstances() reads what writeGoInstances() makes of ${name}`, async () => {
    const instances = new Map(goInstances(await recorded(name)));
    const written = writeGoInstances(instances);
    const again = new Map(goInstances(written));
    deepEqual(Object.fromEntries(again), Object.fromEntries(instances));
    deepEqual([...again.keys()], [...instances.keys()].sort());
    deepEqual(writeGoInstances(new Map([...instances].reverse())), written);
  });

  test(`writeGob() writes the very bytes of ${name}`, async () => {
    const bytes = await recorded(name);
    const { schema, value } = readGob(bytes);
    deepEqual(writeGob(schema, value), bytes);
  });
}

test("writeGoInstances() defines the types of a Go master 1.14, and behind them what only we read", async () => {
  const { schema: theirs } = readGob(await recorded("state-1.14"));
  const { schema: ours } = readGob(writeGoInstances(new Map()));
  const added = { name: "Wire", type: STRING };
  const types = new Map(theirs.types);
  const instance = types.get(FIRST_DEFINED);
  ok(instance?.kind === "struct");
  types.set(FIRST_DEFINED, { ...instance, fields: [...instance.fields, added] });
  deepEqual(ours, { root: theirs.root, types });
});

test("readGoInstances() passes over what it does not know", () => {
  const type = struct("", ["ID", STRING], ["Later", UINT], ["Meta", FIRST_DEFINED + 1], ["constructor", STRING]);
  const meta = struct("Meta", ["Notes", STRING]);
  const map: GobDefinition = { kind: "map", name: "", key: STRING, element: FIRST_DEFINED };
  const types = new Map<number, GobDefinition>([[FIRST_DEFINED, type], [FIRST_DEFINED + 1, meta], [
    FIRST_DEFINED + 2,
    map,
  ]]);
  const value = new GobStruct(type, ["x", 7n, new GobStruct(meta, ["later"]), "y"]);
  const bytes = writeGob({ root: FIRST_DEFINED + 2, types }, new GobMap(["x"], [value]));
  deepEqual(goInstances(bytes), [["x", { ...emptyGoInstance, ID: "x" }]]);
});

test("readGoInstances() says where something else is than a Go master writes", () => {
  const refused = (fields: readonly [name: string, type: number][], values: GobValue[]): string => {
    const type = struct("", ...fields);
    const map: GobDefinition = { kind: "map", name: "", key: STRING, element: FIRST_DEFINED };
    const types = new Map<number, GobDefinition>([[FIRST_DEFINED, type], [FIRST_DEFINED + 2, map]]);
    const root = FIRST_DEFINED + 2;
    return refusal(
      () => goInstances(writeGob({ root, types }, new GobMap(["x"], [new GobStruct(type, values)]))),
    );
  };
  match(refused([["ID", UINT]], [1n]), /^Byte \d+: ID of an instance is not what a Go master writes$/);
  match(refused([["TCPRX", STRING]], ["1"]), /^Byte \d+: TCPRX of an instance is not/);
  match(refused([["Meta", STRING]], ["1"]), /^Byte \d+: Meta of an instance is not/);
  match(
    refusal(() => goInstances(writeGob({ root: STRING, types: new Map() }, "x"))),
    /^Byte 0: the file does not hold a map$/,
  );
});
