/**
 * Schemas of bodies, built of single fields.
 *
 * @module
 */
import * as v from "valibot";
import { FAULT, type Field, isObject } from "./fields.ts";
import { Faults } from "./rows.ts";

/** What a body has to be, and what comes out of it. */
export type Body<T> = v.GenericSchema<unknown, T>;

/** A schema of one field. */
export function one<T>(field: Field<T>): Body<T> {
  return v.pipe(
    v.unknown(),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const value = field.read(dataset.value);
      if (value !== FAULT) return value;
      addIssue({ message: `expected ${field.expected}` });
      return NEVER;
    }),
  );
}

/** A member that may be absent; null is not absent. */
export function maybe<T>(field: Field<T>): v.OptionalSchema<Body<T>, undefined> {
  return v.optional(one(field));
}

/** A member that may be absent: it is read as `sent` then. */
export function orElse<T>(field: Field<T>, sent: string): v.OptionalSchema<Body<T>, string> {
  return v.optional(one(field), sent);
}

/** A member that may be null or absent, which means the same. */
export function nullish<T>(field: Field<T>): v.OptionalSchema<Body<T | null>, null> {
  return v.optional(
    one({ expected: `${field.expected}, or null`, read: (value) => value === null ? null : field.read(value) }),
    null,
  );
}

/** A member that may be absent; null is a value of its own. */
export function maybeNull<T>(field: Field<T>): v.OptionalSchema<Body<T | null>, undefined> {
  return v.optional(
    one({ expected: `${field.expected}, or null`, read: (value) => value === null ? null : field.read(value) }),
  );
}

/** What comes out of an object with these members. */
export type Members<E extends v.ObjectEntries> = v.InferOutput<v.ObjectSchema<E, undefined>>;

type Message = (issue: v.ObjectIssue | v.StrictObjectIssue) => string;

const message: Message = (issue) => {
  if (issue.path === undefined) return "expected an object";
  return issue.expected === "never" ? "is not known here" : "is missing";
};

// The library takes arrays for objects without members.
const anObject = v.custom<Record<string, unknown>>(isObject, "expected an object");

/** An object whose other members are ignored. */
export function open<const E extends v.ObjectEntries>(entries: E): Body<Members<E>> {
  return v.pipe(anObject, v.object(entries, message)) as unknown as Body<Members<E>>;
}

/** An object that may have no other members: a name that is spelled wrong must not pass for a change. */
export function closed<const E extends v.ObjectEntries>(entries: E): Body<Members<E>> {
  return v.pipe(anObject, v.strictObject(entries, message)) as unknown as Body<Members<E>>;
}

/** An object that is read by a function which says what is wrong. */
export function readBy<T>(read: (value: Readonly<Record<string, unknown>>, faults: Faults) => T): Body<T> {
  return v.pipe(
    anObject,
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const faults = new Faults();
      const value = read(dataset.value, faults);
      if (faults.issues.length === 0) return value;
      for (const issue of faults.issues) addIssue({ message: issue.message, path: pathOf(issue.path, dataset.value) });
      return NEVER;
    }),
  );
}

/** The library only reads the keys; a path of one item keeps the text as it is. */
function pathOf(path: string, input: Record<string, unknown>): [v.IssuePathItem] {
  return [{ type: "object", origin: "value", input, key: path, value: undefined }];
}
