/**
 * Go's gob format: type definitions, and values that follow them.
 *
 * @module
 */

/** Numbers of the types that need no definition. */
export const BOOL = 1;
export const INT = 2;
export const UINT = 3;
export const FLOAT = 4;
export const BYTES = 5;
export const STRING = 6;
export const COMPLEX = 7;
export const INTERFACE = 8;

/** Numbers of the types that a stream defines begin here. */
export const FIRST_DEFINED = 64;

/** A member of a struct. */
export interface GobField {
  readonly name: string;
  readonly type: number;
}

/** A struct. */
export interface GobStructDefinition {
  readonly kind: "struct";
  readonly name: string;
  readonly fields: readonly GobField[];
}

/** One type that a stream defines; types name each other by number. */
export type GobDefinition =
  | GobStructDefinition
  | { readonly kind: "map"; readonly name: string; readonly key: number; readonly element: number }
  | { readonly kind: "slice"; readonly name: string; readonly element: number }
  | { readonly kind: "array"; readonly name: string; readonly element: number; readonly length: number }
  /** A type that writes itself, as bytes which only its own code understands. */
  | { readonly kind: "opaque"; readonly name: string; readonly method: "gob" | "binary" | "text" };

/** What a value looks like. */
export interface GobSchema {
  /** The type of the value. */
  readonly root: number;
  readonly types: ReadonlyMap<number, GobDefinition>;
}

/** Integers are `bigint`: Go's have 64 bits. */
export type GobValue =
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | GobComplex
  | GobStruct
  | GobMap
  | readonly GobValue[];

/** A complex number. */
export class GobComplex {
  readonly re: number;
  readonly im: number;

  constructor(re: number, im: number) {
    this.re = re;
    this.im = im;
  }
}

/** The members of a struct, in the order of its fields. */
export class GobStruct {
  readonly definition: GobStructDefinition;
  /** Undefined, or missing at the end, where the stream says nothing: zero. */
  readonly values: readonly (GobValue | undefined)[];
  /** Where it begins in the stream. */
  readonly offset: number;

  constructor(definition: GobStructDefinition, values: readonly (GobValue | undefined)[], offset: number = 0) {
    this.definition = definition;
    this.values = values;
    this.offset = offset;
  }

  /** The members that are there, by name. */
  *members(): Generator<readonly [name: string, value: GobValue]> {
    for (const [index, value] of this.values.entries()) {
      if (value !== undefined) yield [this.definition.fields[index]?.name ?? "", value];
    }
  }
}

/** A map, in the order of the stream; Go's own order means nothing. */
export class GobMap {
  readonly keys: readonly GobValue[];
  readonly values: readonly GobValue[];
  /** Where it begins in the stream. */
  readonly offset: number;

  constructor(keys: readonly GobValue[], values: readonly GobValue[], offset: number = 0) {
    this.keys = keys;
    this.values = values;
    this.offset = offset;
  }

  /** Keys with their values. */
  *entries(): Generator<readonly [key: GobValue, value: GobValue]> {
    for (const [index, key] of this.keys.entries()) {
      const value = this.values[index];
      if (value !== undefined) yield [key, value];
    }
  }
}
