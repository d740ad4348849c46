/**
 * Reads a gob stream by the definitions that are in it.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import { COST, COST_OF_PLACE, GobBudget } from "./budget.ts";
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

/**
 * Reads a stream of one value.
 *
 * What it takes in memory is bounded by the size of the stream, its time too.
 *
 * @throws {NodePassError} with the offset: `corrupt`; `not_supported` for interfaces; `limit` where the values would
 *   take many times the memory of the stream
 */
export function readGob(bytes: Uint8Array): GobDocument {
  return new GobReader(bytes).document();
}

class GobReader {
  readonly #input: GobInput;
  readonly #budget: GobBudget;
  readonly #types = new Map<number, GobDefinition>();
  /** Values of lists that are being read: how long a list will be is only believed once it is there. */
  readonly #stack: (GobValue | undefined)[] = [];
  #depth = 0;

  constructor(bytes: Uint8Array) {
    this.#input = new GobInput(bytes);
    this.#budget = new GobBudget(bytes.length);
  }

  document(): GobDocument {
    const input = this.#input;
    for (;;) {
      const start = input.at;
      if (!input.nextMessage()) throw input.fault(start === 0 ? "the file is empty" : "the file ends before its value");
      const type = input.type();
      if (type < 0) this.#define(-type, start);
      else {
        const value = this.#single(type);
        this.#endMessage();
        if (input.nextMessage()) throw input.fault("the file goes on after its value");
        return { schema: { root: type, types: this.#types }, value };
      }
    }
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

  /** A value that stands by itself: what is no struct is sent as the only member of one. */
  #single(type: number): GobValue {
    if (this.#definition(type)?.kind !== "struct" && this.#input.step() !== 0) {
      throw this.#input.fault("a zero should stand before the value", this.#input.at - 1);
    }
    return this.#value(type);
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
      case STRING: {
        const text = input.text();
        if (text !== "") this.#budget.take(COST.text + 2 * text.length, at);
        return text;
      }
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
          this.#push(this.#value(definition.key));
          this.#push(this.#value(definition.element));
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
      for (place++; place < next; place++) this.#push(undefined);
      this.#push(this.#value(field.type));
    }
  }

  #list(element: number, count: number): readonly GobValue[] {
    this.#budget.take(COST.list, this.#input.at);
    const base = this.#stack.length;
    for (let index = 0; index < count; index++) this.#push(this.#value(element));
    return this.#pop(base) as GobValue[];
  }

  #push(value: GobValue | undefined): void {
    this.#budget.take(COST_OF_PLACE, this.#input.at);
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
