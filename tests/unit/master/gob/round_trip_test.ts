/** Whatever Go's types can say is read as it was written. */
import fc from "fast-check";
import { readGob } from "../../../../src/master/gob/reader.ts";
import {
  BOOL,
  BYTES,
  COMPLEX,
  FIRST_DEFINED,
  FLOAT,
  GobComplex,
  type GobDefinition,
  GobMap,
  type GobSchema,
  GobStruct,
  type GobValue,
  INT,
  STRING,
  UINT,
} from "../../../../src/master/gob/types.ts";
import { writeGob } from "../../../../src/master/gob/writer.ts";
import { deepEqual, equal, test } from "../../../harness.ts";

const BASIC = [BOOL, INT, UINT, FLOAT, BYTES, STRING, COMPLEX];
const double = fc.double();
const values: Readonly<Record<number, fc.Arbitrary<GobValue>>> = {
  [BOOL]: fc.boolean(),
  [INT]: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  [UINT]: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  [FLOAT]: double,
  [BYTES]: fc.uint8Array({ maxLength: 300 }),
  [STRING]: fc.string({ unit: "binary", maxLength: 150 }),
  [COMPLEX]: fc.tuple(double, double).map(([re, im]) => new GobComplex(re, im)),
};

interface Seed {
  readonly kind: GobDefinition["kind"];
  readonly name: string;
  readonly picks: readonly number[];
  readonly method: "gob" | "binary" | "text";
}

const seed: fc.Arbitrary<Seed> = fc.record({
  kind: fc.constantFrom("struct", "map", "slice", "array", "opaque"),
  name: fc.string({ maxLength: 20 }),
  picks: fc.array(fc.nat(), { minLength: 2, maxLength: 12 }),
  method: fc.constantFrom("gob", "binary", "text"),
});

/** Each type is made of basic ones and those before it. */
const schemas: fc.Arbitrary<GobSchema> = fc.array(seed, { maxLength: 6 }).map((seeds) => {
  const types = new Map<number, GobDefinition>();
  const pick = (number: number): number => {
    const known = [...BASIC, ...types.keys()];
    return known[number % known.length]!;
  };
  for (const { kind, name, picks: [first = 0, second = 0, ...more], method } of seeds) {
    types.set(
      FIRST_DEFINED + types.size,
      ((): GobDefinition => {
        switch (kind) {
          case "struct":
            return { kind, name, fields: more.map((number, index) => ({ name: `F${index}`, type: pick(number) })) };
          case "map":
            return { kind, name, key: pick(first), element: pick(second) };
          case "slice":
            return { kind, name, element: pick(first) };
          case "array":
            return { kind, name, element: pick(first), length: second % 5 };
          case "opaque":
            return { kind, name, method };
        }
      })(),
    );
  }
  return { root: types.size === 0 ? STRING : FIRST_DEFINED + types.size - 1, types };
});

function valueOf(type: number, types: GobSchema["types"]): fc.Arbitrary<GobValue> {
  const definition = types.get(type);
  if (definition === undefined) return values[type]!;
  switch (definition.kind) {
    case "struct": {
      const members = definition.fields.map((field) => fc.option(valueOf(field.type, types), { nil: undefined }));
      return fc.tuple(...members).map((list) => new GobStruct(definition, list));
    }
    case "map": {
      const entry = fc.tuple(valueOf(definition.key, types), valueOf(definition.element, types));
      return fc.array(entry, { maxLength: 3 }).map((list) =>
        new GobMap(list.map(([key]) => key), list.map(([, element]) => element))
      );
    }
    case "slice":
      return fc.array(valueOf(definition.element, types), { maxLength: 3 });
    case "array": {
      const { length } = definition;
      return fc.array(valueOf(definition.element, types), { minLength: length, maxLength: length });
    }
    case "opaque":
      return values[BYTES]!;
  }
}

/** As Go would have it: what is zero in a struct is not there. */
function plain(value: GobValue | undefined): unknown {
  if (value instanceof GobStruct) {
    return value.definition.fields.map((_, index) => {
      const member = value.values[index];
      return isZero(member) ? undefined : plain(member);
    });
  }
  if (value instanceof GobMap) return Array.from(value.entries(), (entry) => entry.map(plain));
  return Array.isArray(value) ? value.map(plain) : value instanceof GobComplex ? [value.re, value.im] : value;
}

function isZero(value: GobValue | undefined): boolean {
  return value === 0n || value === "" || value === false || Object.is(value, 0) ||
    value instanceof Uint8Array && value.length === 0 || Array.isArray(value) && value.length === 0;
}

test("readGob() reads what writeGob() wrote, for any types and values", () => {
  const documents = schemas.chain((schema) => valueOf(schema.root, schema.types).map((value) => ({ schema, value })));
  fc.assert(
    fc.property(documents, ({ schema, value }) => {
      const bytes = writeGob(schema, value);
      const read = readGob(bytes);
      equal(read.schema.root, schema.root);
      for (const [type, definition] of read.schema.types) deepEqual(definition, schema.types.get(type));
      deepEqual(plain(read.value), plain(value));
      deepEqual(writeGob(read.schema, read.value), bytes);
    }),
    { numRuns: 500 },
  );
});
