/**
 * Reading objects that came as JSON, member by member.
 *
 * @module
 */
import { NodePassError } from "../errors.ts";
import type { Counters, Gauges, SessionRecord } from "./types.ts";

/** One object, and how its members are read. Every method throws when a member is not what it should be. */
export class Shape {
  readonly #members: Readonly<Record<string, unknown>>;
  readonly #name: string;

  constructor(members: Readonly<Record<string, unknown>>, name: string) {
    this.#members = members;
    this.#name = name;
  }

  /** Names of all members. */
  get keys(): readonly string[] {
    return Object.keys(this.#members);
  }

  text(key: string): string {
    const value = this.#get(key);
    return typeof value === "string" ? value : this.refuse(key, "a text");
  }

  oneOf<T extends string>(key: string, values: readonly T[]): T {
    const value = this.#get(key);
    return values.find((each) => each === value) ?? this.refuse(key, values.join(", "));
  }

  /** An integer from 0 up. */
  count(key: string): number {
    const value = this.#get(key);
    return Number.isSafeInteger(value) && (value as number) >= 0 ? value as number : this.refuse(key, "an integer");
  }

  flag(key: string): boolean {
    const value = this.#get(key);
    return typeof value === "boolean" ? value : this.refuse(key, "true or false");
  }

  texts(key: string): readonly string[] {
    const value = this.#get(key);
    if (!Array.isArray(value) || !value.every((each) => typeof each === "string")) {
      return this.refuse(key, "a list of texts");
    }
    return value;
  }

  object(key: string): Shape {
    return fieldsOf(this.#get(key), `${this.#name}.${key}`);
  }

  objects(key: string): readonly Shape[] {
    const value = this.#get(key);
    if (!Array.isArray(value)) return this.refuse(key, "a list of objects");
    return value.map((each, index) => fieldsOf(each, `${this.#name}.${key}[${index}]`));
  }

  /** Says what is wrong, without the value: it may be a secret. */
  refuse(key: string, expected: string): never {
    throw new NodePassError("protocol", `${this.#name}.${key} is not ${expected}`);
  }

  #get(key: string): unknown {
    return Object.hasOwn(this.#members, key) ? this.#members[key] : undefined;
  }
}

/** The members of a parsed value that has to be an object. */
export function fieldsOf(value: unknown, name: string): Shape {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new NodePassError("protocol", `${name} is not an object`);
  }
  return new Shape(value as Record<string, unknown>, name);
}

/** Byte counters. */
export function readCounters(shape: Shape): Counters {
  return {
    tcprx: shape.count("tcprx"),
    tcptx: shape.count("tcptx"),
    udprx: shape.count("udprx"),
    udptx: shape.count("udptx"),
  };
}

/** Gauges. */
export function readGauges(shape: Shape): Gauges {
  return {
    mode: shape.count("mode"),
    ping: shape.count("ping"),
    pool: shape.count("pool"),
    tcps: shape.count("tcps"),
    udps: shape.count("udps"),
  };
}

/** Counts by reason. */
export function readRejections(shape: Shape): Readonly<Record<string, number>> {
  return Object.fromEntries(shape.keys.map((reason) => [reason, shape.count(reason)]));
}

/** One live session. */
export function readSession(shape: Shape): SessionRecord {
  return {
    id: shape.text("id"),
    protocol: shape.oneOf("protocol", ["tcp", "udp"]),
    visitor: shape.text("visitor"),
    target: shape.text("target"),
    ageMs: shape.count("ageMs"),
    rx: shape.count("rx"),
    tx: shape.count("tx"),
  };
}
