/**
 * Writes a gob stream as Go does: definitions first, then the value.
 *
 * @module
 */
import { definingTypes, DEFINITION, valueOf } from "./definitions.ts";
import { GobOutput } from "./output.ts";
import {
  BOOL,
  BYTES,
  COMPLEX,
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
} from "./types.ts";

/**
 * A stream of one value. The same value is always the same bytes.
 *
 * @throws {TypeError} where the value is not what the schema says
 */
export function writeGob({ root, types }: GobSchema, value: GobValue): Uint8Array<ArrayBuffer> {
  const stream = new GobOutput();
  for (const type of inOrder(root, types)) {
    const definition = types.get(type);
    if (definition !== undefined) {
      stream.bytes(message(-type, (output) => write(output, valueOf(definition, type), DEFINITION, definingTypes)));
    }
  }
  stream.bytes(message(root, (output) => {
    if (types.get(root)?.kind !== "struct") output.uint(0);
    write(output, value, root, types);
  }));
  return stream.take();
}

/** Defined types as Go tells them: each before those that it is made of. */
function inOrder(root: number, types: GobSchema["types"]): Iterable<number> {
  const seen = new Set<number>();
  const visit = (type: number): void => {
    const definition = types.get(type);
    if (definition === undefined || seen.has(type)) return;
    seen.add(type);
    partsOf(definition).forEach(visit);
  };
  visit(root);
  return seen;
}

function partsOf(definition: GobDefinition): readonly number[] {
  switch (definition.kind) {
    case "struct":
      return definition.fields.map(({ type }) => type);
    case "map":
      return [definition.key, definition.element];
    case "slice":
    case "array":
      return [definition.element];
    case "opaque":
      return [];
  }
}

function message(type: number, body: (output: GobOutput) => void): Uint8Array {
  const output = new GobOutput();
  output.int(type);
  body(output);
  return output.take();
}

function write(output: GobOutput, value: GobValue, type: number, types: GobSchema["types"]): void {
  if (type === BOOL && typeof value === "boolean") return output.uint(value ? 1 : 0);
  if (type === INT && typeof value === "bigint") return output.int(value);
  if (type === UINT && typeof value === "bigint") return output.uint(value);
  if (type === FLOAT && typeof value === "number") return output.float(value);
  if (type === STRING && typeof value === "string") return output.text(value);
  if (type === BYTES && value instanceof Uint8Array) return output.bytes(value);
  if (type === COMPLEX && value instanceof GobComplex) {
    output.float(value.re);
    return output.float(value.im);
  }
  const definition = types.get(type);
  if (definition === undefined || !writeDefined(output, value, definition, types)) {
    throw new TypeError(`Cannot write a gob: a value is not of type ${type}`);
  }
}

/** False when the value is of another type. */
function writeDefined(
  output: GobOutput,
  value: GobValue,
  definition: GobDefinition,
  types: GobSchema["types"],
): boolean {
  switch (definition.kind) {
    case "struct": {
      if (!(value instanceof GobStruct)) return false;
      let last = -1;
      for (const [index, member] of value.values.entries()) {
        const field = definition.fields[index];
        if (field === undefined || member === undefined || isZero(member)) continue;
        output.uint(index - last);
        write(output, member, field.type, types);
        last = index;
      }
      output.uint(0);
      return true;
    }
    case "map":
      if (!(value instanceof GobMap)) return false;
      output.uint(value.keys.length);
      for (const [key, element] of value.entries()) {
        write(output, key, definition.key, types);
        write(output, element, definition.element, types);
      }
      return true;
    case "slice":
    case "array":
      if (!Array.isArray(value) || definition.kind === "array" && value.length !== definition.length) return false;
      output.uint(value.length);
      for (const element of value) write(output, element, definition.element, types);
      return true;
    case "opaque":
      if (!(value instanceof Uint8Array)) return false;
      output.bytes(value);
      return true;
  }
}

/** What Go leaves out of a struct. */
function isZero(value: GobValue): boolean {
  return value === 0n || value === "" || value === false || Object.is(value, 0) ||
    value instanceof Uint8Array && value.length === 0 || Array.isArray(value) && value.length === 0;
}
