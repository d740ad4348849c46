/**
 * Reads a gob stream by the definitions that are in it.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import { COST, COST_OF_MEMBER, COST_OF_PLACE, costOfText, GobBudget } from "./budget.ts";
import { definingTypes, DEFINITION, definitionOf } from "./definitions.ts";
import { GobInput } from "./input.ts";
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
  type GobStructDefinition,
  type GobValue,
  INT,
  INTERFACE,
  STRING,
  UINT,
} from "./types.ts";

/** Values inside values: more is made to break us. */
const MAX_DEPTH = 64;

/** One value with the types that it is made of. */
export interface GobDocument {
  readonly schema: GobSchema;
  readonly value: GobValue;
}

/** Texts up to this length are shared when they come again: names of types, states, tags. */
const MAX_SHARED_LENGTH = 16;
const MAX_SHARED = 1024;

/**
 * Reads a stream of one value.
 *
 * What it takes in memory is bounded by the size of the stream, its time too.
 *
 * @throws {NodePassError} with the offset: `corrupt`; `not_supported` for interfaces; `limit` where the values would
 *   take many times the memory of the stream
 */
export function readGob(bytes: Uint8Array): GobDocument {
  return new GobReader(bytes, new GobBudget(bytes.length)).document();
}

/**
 * Reads a stream of one map, entry by entry: each is checked when it comes, and the stream when the last one was taken.
 *
 * @param budget is charged for one entry at a time, and for what the caller keeps
 * @throws {NodePassError} as {@linkcode readGob}; `corrupt` where the value is no map
 */
export function readGobEntries(
  bytes: Uint8Array,
  budget: GobBudget,
): Generator<readonly [key: GobValue, value: GobValue]> {
  return new GobReader(bytes, budget).entries();
}

class GobReader {
  readonly #input: GobInput;
  readonly #budget: GobBudget;
  readonly #types = new Map<number, GobDefinition>();
  /** Values of lists that are being read: how long a list will be is only believed once it is there. */
  readonly #stack: (GobValue | undefined)[] = [];
  readonly #texts = new Map<string, string>();
  #depth = 0;

  constructor(bytes: Uint8Array, budget: GobBudget) {
    this.#input = new GobInput(bytes);
    this.#budget = budget;
  }

  document(): GobDocument {
    const root = this.#root();
    const value = this.#value(root);
    this.#end();
    return { schema: { root, types: this.#types }, value };
  }

  *entries(): Generator<readonly [key: GobValue, value: GobValue]> {
    const start = this.#input.at;
    const definition = this.#definition(this.#root());
    if (definition?.kind !== "map") throw this.#input.fault("the file does not hold a map", start);
    for (let left = this.#input.count("a map is"); left > 0; left--) {
      this.#budget.forget();
      yield [this.#value(definition.key), this.#value(definition.element)];
    }
    this.#end();
  }

  /** Reads definitions up to the value, and gives its type. */
  #root(): number {
    const input = this.#input;
    for (;;) {
      const start = input.at;
      if (!input.nextMessage()) throw input.fault(start === 0 ? "the file is empty" : "the file ends before its value");
      const type = input.type();
      if (type < 0) {
        this.#define(-type, start);
        continue;
      }
      // What is no struct is sent as the only member of one.
      if (this.#definition(type)?.kind !== "struct" && input.step() !== 0) {
        throw input.fault("a zero should stand before the value", input.at - 1);
      }
      return type;
    }
  }

  #end(): void {
    this.#endMessage();
    if (this.#input.nextMessage()) throw this.#input.fault("the file goes on after its value");
  }

  #define(type: number, start: number): void {
    const input = this.#input;
    if (type < FIRST_DEFINED || this.#types.has(type)) throw input.fault(`type ${type} is defined already`, start);
    const definition = definitionOf(this.#value(DEFINITION), type);
    if (definition === null) throw input.fault(`type ${type} has no sensible definition`, start);
    this.#types.set(type, definition);
    this.#endMessage();
  }

  #endMessage(): void {
    const { left } = this.#input;
    if (left > 0) throw this.#input.fault(`the message has ${left} bytes too many`);
  }

  #definition(type: number): GobDefinition | undefined {
    return type < FIRST_DEFINED ? definingTypes.get(type) : this.#types.get(type);
  }

  #value(type: number): GobValue {
    const input = this.#input;
    const { at } = input;
    switch (type) {
      case BOOL:
        return input.bool();
      case INT:
        this.#budget.take(COST.number, at);
        return input.int();
      case UINT:
        this.#budget.take(COST.number, at);
        return input.uint();
      case FLOAT:
        this.#budget.take(COST.number, at);
        return input.float();
      case COMPLEX:
        this.#budget.take(COST.complex, at);
        return new GobComplex(input.float(), input.float());
      case BYTES:
        this.#budget.take(COST.bytes, at);
        return input.bytes();
      case STRING:
        return this.#text();
      case INTERFACE:
        throw new NodePassError("not_supported", `Byte ${at}: a value of an interface type, which cannot be read`);
    }
    const definition = this.#definition(type);
    if (definition === undefined) throw input.fault(`type ${type} is not defined`);
    if (++this.#depth > MAX_DEPTH) throw input.fault(`values are more than ${MAX_DEPTH} deep`);
    const value = this.#defined(definition);
    this.#depth--;
    return value;
  }

  #defined(definition: GobDefinition): GobValue {
    const input = this.#input;
    const { at } = input;
    switch (definition.kind) {
      case "struct":
        return this.#struct(definition);
      case "map": {
        this.#budget.take(COST.map, at);
        const count = input.count("a map is");
        const base = this.#stack.length;
        // Keys and values go in turns onto the stack, which is one list.
        for (let index = 0; index < count; index++) {
          this.#push(this.#value(definition.key), COST_OF_PLACE);
          this.#push(this.#value(definition.element), COST_OF_PLACE);
        }
        const both = this.#pop(base);
        return new GobMap(everySecond(both, 0), everySecond(both, 1), at);
      }
      case "slice":
        return this.#list(definition.element, input.count("a list is"));
      case "array": {
        const count = input.count("an array is");
        if (count !== definition.length) throw input.fault(`an array of ${count} instead of ${definition.length}`, at);
        return this.#list(definition.element, count);
      }
      case "opaque":
        this.#budget.take(COST.bytes, at);
        return input.bytes();
    }
  }

  #struct(definition: GobStructDefinition): GobStruct {
    const input = this.#input;
    const start = input.at;
    this.#budget.take(COST.struct, start);
    const base = this.#stack.length;
    for (let place = -1;;) {
      const { at } = input;
      const step = input.step();
      if (step === 0) return new GobStruct(definition, this.#pop(base), start);
      const next = place + step;
      const field = definition.fields[next];
      if (field === undefined) throw input.fault(`member ${next} of a struct of ${definition.fields.length}`, at);
      for (place++; place < next; place++) this.#push(undefined, COST_OF_MEMBER);
      this.#push(this.#value(field.type), COST_OF_MEMBER);
    }
  }

  #list(element: number, count: number): readonly GobValue[] {
    this.#budget.take(COST.list, this.#input.at);
    const base = this.#stack.length;
    for (let index = 0; index < count; index++) this.#push(this.#value(element), COST_OF_PLACE);
    return this.#pop(base) as GobValue[];
  }

  #text(): string {
    const input = this.#input;
    const { at } = input;
    const length = input.count("bytes are");
    const text = input.text(length);
    const known = text.length > MAX_SHARED_LENGTH ? undefined : this.#texts.get(text);
    if (known !== undefined) return known;
    this.#budget.take(costOfText(text, length), at);
    if (text.length <= MAX_SHARED_LENGTH && this.#texts.size < MAX_SHARED) this.#texts.set(text, text);
    return text;
  }

  #push(value: GobValue | undefined, cost: number): void {
    this.#budget.take(cost, this.#input.at);
    this.#stack.push(value);
  }

  #pop(base: number): (GobValue | undefined)[] {
    const values = this.#stack.slice(base);
    this.#stack.length = base;
    return values;
  }
}

function everySecond(values: readonly (GobValue | undefined)[], first: 0 | 1): GobValue[] {
  const picked: GobValue[] = new Array(values.length / 2);
  for (let index = 0; index < picked.length; index++) picked[index] = values[2 * index + first] as GobValue;
  return picked;
}
