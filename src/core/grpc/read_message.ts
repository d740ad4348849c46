/**
 * From messages to the values that the bodies of HTTP are: both doors then check them with the same schemas.
 *
 * A node sends its figures every two seconds: there is no message in between, of which another value would be made at
 * once.
 *
 * @module
 */
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** A message as a value: its fields by their names, absent ones undefined where that can be told. */
export type MessageValue = Record<string, unknown>;

/** Reads the value of one field. */
type Read = (reader: BinaryReader, before: unknown) => unknown;

interface FieldReader {
  readonly name: string;
  readonly wireType: WireType;
  readonly list: boolean;
  readonly read: Read;
}

/** How a message is read. */
interface Plan {
  readonly fields: Map<number, FieldReader>;
  /** One without any field, and which of its members are lists: each message gets its own. */
  readonly blank: MessageValue;
  readonly lists: string[];
}

/** `FeatureSet.FieldPresence.IMPLICIT`: a field that was not sent is one of zero. Its name is in a module of 200 KB. */
const IMPLICIT = 2;

const plans = new WeakMap<DescMessage, Plan>();

/**
 * The value of a message. Whole numbers that a number cannot hold exactly stay bigint, which no schema takes for one.
 *
 * @throws where the bytes are no such message
 */
export function readMessage(schema: DescMessage, bytes: Uint8Array): MessageValue {
  const reader = new BinaryReader(bytes);
  return readFields(planOf(schema), reader, reader.len, undefined);
}

function readFields(plan: Plan, reader: BinaryReader, end: number, before: unknown): MessageValue {
  const value = before === undefined ? blankOf(plan) : before as MessageValue;
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    const field = plan.fields.get(number);
    if (field === undefined) {
      reader.skip(wireType, number);
      continue;
    }
    if (wireType !== field.wireType) throw new Error(`field ${field.name} has wire type ${wireType}`);
    if (field.list) (value[field.name] as unknown[]).push(field.read(reader, undefined));
    else value[field.name] = field.read(reader, value[field.name]);
  }
  if (reader.pos > end) throw new Error("a field is longer than its message");
  return value;
}

function blankOf({ blank, lists }: Plan): MessageValue {
  const value = { ...blank };
  for (const name of lists) value[name] = [];
  return value;
}

function planOf(schema: DescMessage): Plan {
  const known = plans.get(schema);
  if (known !== undefined) return known;
  const plan: Plan = { fields: new Map(), blank: {}, lists: [] };
  // Before its fields are looked at: one of them may be such a message again.
  plans.set(schema, plan);
  for (const field of schema.fields) {
    const { localName, number, presence } = field;
    const list = field.fieldKind === "list";
    const { zero, ...reader } = readerOf(field);
    plan.blank[localName] = presence === IMPLICIT ? zero : undefined;
    if (list) plan.lists.push(localName);
    plan.fields.set(number, { name: localName, list, ...reader });
  }
  return plan;
}

/** How the value of a field is read, and what stands for one of which nobody can tell whether it was sent. */
interface ValueReader {
  readonly wireType: WireType;
  readonly read: Read;
  readonly zero: unknown;
}

function readerOf(field: DescField): ValueReader {
  if (field.message === undefined) {
    if (field.fieldKind === "scalar") return scalarReader(field.scalar);
    throw new TypeError(`Cannot read ${field.toString()}`);
  }
  const plan = planOf(field.message);
  const read: Read = (reader, before) => {
    const length = reader.uint32();
    return readFields(plan, reader, reader.pos + length, before);
  };
  return { wireType: WireType.LengthDelimited, read, zero: undefined };
}

function scalarReader(type: ScalarType): ValueReader {
  switch (type) {
    case ScalarType.STRING:
      return { zero: "", wireType: WireType.LengthDelimited, read: (reader) => reader.string(true) };
    case ScalarType.INT64:
      return { zero: 0, wireType: WireType.Varint, read: (reader) => numeric(reader.int64()) };
    case ScalarType.INT32:
      return { zero: 0, wireType: WireType.Varint, read: (reader) => reader.int32() };
    case ScalarType.BOOL:
      return { zero: false, wireType: WireType.Varint, read: (reader) => reader.bool() };
    case ScalarType.DOUBLE:
      return { zero: 0, wireType: WireType.Bit64, read: (reader) => reader.double() };
    default:
      throw new TypeError(`Cannot read scalars of type ${ScalarType[type]}`);
  }
}

function numeric(value: bigint | string): number | bigint | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
