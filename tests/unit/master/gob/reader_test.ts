/** Streams that are damaged, or made to break their reader. */
import { NodePassError } from "../../../../src/errors.ts";
import { GobOutput } from "../../../../src/master/gob/output.ts";
import { readGob } from "../../../../src/master/gob/reader.ts";
import {
  BOOL,
  FIRST_DEFINED,
  GobComplex,
  type GobDefinition,
  GobMap,
  GobStruct,
  type GobValue,
  INT,
  INTERFACE,
  STRING,
  UINT,
} from "../../../../src/master/gob/types.ts";
import { writeGob } from "../../../../src/master/gob/writer.ts";
import { deepEqual, equal, match, ok, test, throws } from "../../../harness.ts";
import { recorded, recordings, refusal, struct } from "./fixtures.ts";

const A = FIRST_DEFINED;
const B = FIRST_DEFINED + 1;

function stream(root: number, definitions: readonly GobDefinition[], value: GobValue): Uint8Array<ArrayBuffer> {
  return writeGob({ root, types: new Map(definitions.map((definition, index) => [A + index, definition])) }, value);
}

/** One message of these numbers below 128. */
function message(...bytes: number[]): Uint8Array {
  const output = new GobOutput();
  output.bytes(new Uint8Array(bytes));
  return output.take();
}

/** A definition, and then a value that was never written by a writer. */
function crafted(definition: GobDefinition, ...value: number[]): Uint8Array {
  const nothing = definition.kind === "struct" ? new GobStruct(definition, []) : [];
  const whole = stream(A, [definition], definition.kind === "map" ? new GobMap([], []) : nothing);
  const length = whole[0]! + 1;
  const body = message(...value);
  const bytes = new Uint8Array(length + body.length);
  bytes.set(whole.subarray(0, length));
  bytes.set(body, length);
  return bytes;
}

test("readGob() reads values that stand by themselves", () => {
  deepEqual(readGob(message(0x0c, 0x00, 0x02, 0x68, 0x69)).value, "hi");
  equal(readGob(message(0x04, 0x00, 0xff, 0x81)).value, -65n);
  equal(readGob(message(0x06, 0x00, 0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)).value, 2n ** 64n - 1n);
  equal(readGob(message(0x06, 0x00, 0xf9, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)).value, 2n ** 56n - 1n);
  equal(readGob(message(0x04, 0x00, 0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)).value, -(2n ** 63n));
  equal(readGob(message(0x08, 0x00, 0xfe, 0x31, 0x40)).value, 17);
  deepEqual(readGob(message(0x0e, 0x00, 0xfe, 0xf0, 0x3f, 0x40)).value, new GobComplex(1, 2));
  equal(readGob(message(0x0c, 0x00, 0x01, 0xff)).value, "\ufffd", "what is not UTF-8 is replaced, as Go's JSON does");
});

test("readGob() names the byte where a stream is cut, wherever that is", async () => {
  for (const name of recordings) {
    const bytes = await recorded(name);
    for (let length = 0; length < bytes.length; length++) {
      match(refusal(() => readGob(bytes.subarray(0, length))), /^Byte \d+: ./, `${name}, ${length} bytes`);
    }
    match(refusal(() => readGob(new Uint8Array([...bytes, 0]))), new RegExp(`^Byte ${bytes.length + 1}: `));
  }
});

test("readGob() says what is wrong, and where", () => {
  const point = struct("Point", ["X", INT], ["Y", INT]);
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(), /^Byte 0: the file is empty$/],
    [new Uint8Array([0x05]), /^Byte 0: the message has 5 bytes, the file 0 more$/],
    [new Uint8Array([0xf7]), /^Byte 0: a number of 9 bytes$/],
    [new Uint8Array([0xfe, 0x01]), /^Byte 0: a number of 2 bytes, its message has 1 more$/],
    [new Uint8Array([0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), /^Byte 0: the message has 18446744073709/],
    [message(0x0c, 0x00, 0x7f), /^Byte 3: bytes are 127 long, its message has 0 bytes more$/],
    [message(0x0c, 0x01, 0x00), /^Byte 2: a zero should stand before the value$/],
    [message(0x0c, 0x00, 0x00, 0x00), /^Byte 4: the message has 1 bytes too many$/],
    [message(0x02, 0x00), /^Byte 3: the file ends here$/],
    [message(0x50, 0x00), /^Byte 3: type 40 is not defined$/],
    [message(0x00, 0x00), /^Byte 3: type 0 is not defined$/],
    [message(0xfb, 0xff, 0xff, 0xff, 0xff, 0xff), /^Byte 1: no type has such a number$/],
    [message(0x7f, 0x00), /^Byte 0: type 64 has no sensible definition$/],
    [message(0x1f, 0x00), /^Byte 0: type 16 is defined already$/],
    [crafted(point, 0xff, 0x80, 0x03, 0x02, 0x00), /^Byte \d+: member 2 of a struct of 2$/],
    [crafted(point, 0xff, 0x80, 0x01, 0x02), /^Byte \d+: the file ends here$/],
    [
      crafted({ kind: "map", name: "", key: STRING, element: B }, 0xff, 0x80, 0, 1, 1, 65, 0),
      /type 65 is not defined$/,
    ],
  ];
  for (const [bytes, text] of cases) match(refusal(() => readGob(bytes)), text);
  const array: GobDefinition = { kind: "array", name: "", element: BOOL, length: 2 };
  const pair = stream(A, [array], [true, true]);
  pair[pair.length - 3] = 1;
  match(refusal(() => readGob(pair)), /^Byte \d+: an array of 1 instead of 2$/);
  const twice = stream(A, [point], new GobStruct(point, [1n, 2n]));
  const definition = twice.subarray(0, twice[0]! + 1);
  match(refusal(() => readGob(new Uint8Array([...definition, ...twice]))), /^Byte \d+: type 64 is defined already$/);
});

test("readGob() refuses interfaces by name, and passes over a type that has one", () => {
  const holder = struct("", ["Any", INTERFACE], ["X", INT]);
  const bytes = stream(A, [holder], new GobStruct(holder, [undefined, 1n]));
  deepEqual((readGob(bytes).value as GobStruct).values, [undefined, 1n]);
  throws(
    () => readGob(crafted(holder, 0xff, 0x80, 0x01, 0x00, 0x00)),
    (error: unknown) =>
      error instanceof NodePassError && error.code === "not_supported" && /interface/.test(error.message),
  );
});

test("readGob() ends on types that contain themselves", () => {
  const list: GobDefinition = { kind: "slice", name: "", element: A };
  const nested = (depth: number): GobValue => depth === 0 ? [] : [nested(depth - 1)];
  ok(Array.isArray(readGob(stream(A, [list], nested(40))).value));
  match(refusal(() => readGob(stream(A, [list], nested(100)))), /^Byte \d+: values are more than 64 deep$/);
  const deep = crafted(list, 0xff, 0x80, 0, ...Array<number>(50_000).fill(1));
  match(refusal(() => readGob(deep)), /values are more than 64 deep$/);
});

/** Small in a file, large in memory. */
const bombs: readonly [what: string, definitions: readonly GobDefinition[], value: (count: number) => GobValue][] = [
  [
    "empty structs",
    [{ kind: "slice", name: "", element: B }, struct("")],
    (count) => Array(count).fill(new GobStruct(struct(""), [])),
  ],
  [
    "empty lists",
    [{ kind: "slice", name: "", element: B }, { kind: "slice", name: "", element: INT }],
    (count) => Array(count).fill([]),
  ],
  [
    "empty maps",
    [{ kind: "slice", name: "", element: B }, { kind: "map", name: "", key: INT, element: INT }],
    (count) => Array(count).fill(new GobMap([], [])),
  ],
  ["small numbers", [{ kind: "slice", name: "", element: UINT }], (count) => Array(count).fill(1n)],
  ["letters", [{ kind: "slice", name: "", element: STRING }], (count) => Array(count).fill("a")],
  [
    "empty instances",
    [{ kind: "map", name: "", key: STRING, element: B }, struct("")],
    (count) => new GobMap(Array(count).fill(""), Array(count).fill(new GobStruct(struct(""), []))),
  ],
  [
    "far members",
    [
      { kind: "slice", name: "", element: B },
      struct("", ...Array.from({ length: 127 }, (_, index) => [`F${index}`, BOOL] as const)),
    ],
    (count) => Array(count).fill(new GobStruct(struct(""), [...Array(126), true])),
  ],
];
for (const [what, definitions, value] of bombs) {
  test(`readGob() refuses what would take many times the memory of the file: ${what}`, () => {
    throws(
      () => readGob(stream(A, definitions, value(200_000))),
      (error: unknown) => error instanceof NodePassError && error.code === "limit" && /^Byte \d+: /.test(error.message),
    );
  });
}
