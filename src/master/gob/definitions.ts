/**
 * How a stream defines types: with values of types that both ends know.
 *
 * @module
 */
import { type GobDefinition, type GobField, GobStruct, type GobStructDefinition, type GobValue } from "./types.ts";
import { INT, STRING } from "./types.ts";

/** Number of the type that definitions have. */
export const DEFINITION = 16;
const ARRAY = 17;
const NAMED = 18;
const SLICE = 19;
const STRUCT = 20;
const FIELD = 21;
const FIELDS = 22;
const MAP = 23;
const OPAQUE = 24;

function struct(name: string, ...fields: readonly (readonly [name: string, type: number])[]): GobStructDefinition {
  return { kind: "struct", name, fields: fields.map(([name, type]) => ({ name, type })) };
}

/** The types that definitions are made of. */
export const definingTypes: ReadonlyMap<number, GobDefinition> = new Map<number, GobDefinition>([
  [
    DEFINITION,
    struct(
      "wireType",
      ["ArrayT", ARRAY],
      ["SliceT", SLICE],
      ["StructT", STRUCT],
      ["MapT", MAP],
      ["GobEncoderT", OPAQUE],
      ["BinaryMarshalerT", OPAQUE],
      ["TextMarshalerT", OPAQUE],
    ),
  ],
  [ARRAY, struct("arrayType", ["CommonType", NAMED], ["Elem", INT], ["Len", INT])],
  [NAMED, struct("CommonType", ["Name", STRING], ["Id", INT])],
  [SLICE, struct("sliceType", ["CommonType", NAMED], ["Elem", INT])],
  [STRUCT, struct("structType", ["CommonType", NAMED], ["Field", FIELDS])],
  [FIELD, struct("fieldType", ["Name", STRING], ["Id", INT])],
  [FIELDS, { kind: "slice", name: "[]*fieldType", element: FIELD }],
  [MAP, struct("mapType", ["CommonType", NAMED], ["Key", INT], ["Elem", INT])],
  [OPAQUE, struct("gobEncoderType", ["CommonType", NAMED])],
]);

const METHODS = ["gob", "binary", "text"] as const;

/** The definition that a value tells; null when it tells none, or one of another type. */
export function definitionOf(value: GobValue, type: number): GobDefinition | null {
  const [array, slice, struct, map, ...opaque] = at(value);
  const found = [array, slice, struct, map, ...opaque].filter((part) => part !== undefined);
  const [part] = found;
  if (part === undefined || found.length > 1) return null;
  const [named, ...rest] = at(part);
  const [name = "", id = 0n] = at(named);
  if (typeof name !== "string" || id !== BigInt(type)) return null;
  if (part === struct) return { kind: "struct", name, fields: list(rest[0]).map(fieldOf) };
  const [first, second] = rest.map((number) => typeof number === "bigint" ? Number(number) : 0);
  if (part === array) return { kind: "array", name, element: first ?? 0, length: second ?? 0 };
  if (part === slice) return { kind: "slice", name, element: first ?? 0 };
  if (part === map) return { kind: "map", name, key: first ?? 0, element: second ?? 0 };
  return { kind: "opaque", name, method: METHODS[opaque.indexOf(part)] ?? "gob" };
}

function fieldOf(value: GobValue): GobField {
  const [name, type] = at(value);
  return { name: typeof name === "string" ? name : "", type: typeof type === "bigint" ? Number(type) : 0 };
}

/** The value that tells a definition. */
export function valueOf(definition: GobDefinition, type: number): GobStruct {
  const named = filled(NAMED, [definition.name, BigInt(type)]);
  switch (definition.kind) {
    case "array":
      return told(0, filled(ARRAY, [named, BigInt(definition.element), BigInt(definition.length)]));
    case "slice":
      return told(1, filled(SLICE, [named, BigInt(definition.element)]));
    case "struct": {
      const fields = definition.fields.map(({ name, type }) => filled(FIELD, [name, BigInt(type)]));
      return told(2, filled(STRUCT, [named, fields]));
    }
    case "map":
      return told(3, filled(MAP, [named, BigInt(definition.key), BigInt(definition.element)]));
    case "opaque":
      return told(4 + METHODS.indexOf(definition.method), filled(OPAQUE, [named]));
  }
}

function told(place: number, part: GobStruct): GobStruct {
  return filled(DEFINITION, [...Array<undefined>(place), part]);
}

function filled(type: number, values: readonly (GobValue | undefined)[]): GobStruct {
  const definition = definingTypes.get(type);
  if (definition?.kind !== "struct") throw new TypeError(`Type ${type} is no struct`);
  return new GobStruct(definition, values);
}

function at(value: GobValue | undefined): readonly (GobValue | undefined)[] {
  return value instanceof GobStruct ? value.values : [];
}

function list(value: GobValue | undefined): readonly GobValue[] {
  return Array.isArray(value) ? value : [];
}
