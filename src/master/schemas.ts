/**
 * Bodies of requests. Members that nobody knows are ignored; null counts as absent.
 *
 * @module
 */
import * as v from "valibot";
import { ApiError } from "../http/api_error.ts";
import { invalidBody } from "../http/body.ts";
import type { InstanceChange } from "./parts.ts";

const ACTIONS = ["start", "stop", "restart", "reset"] as const;

/** An object that is no array: the library takes those for objects without members. */
const object = <Entries extends v.ObjectEntries>(entries: Entries) =>
  v.pipe(v.custom<Record<string, unknown>>(isObject), v.object(entries));

const optionalText = v.nullish(v.string());
/** Some clients clear a member by sending null. */
const clearedText = v.optional(v.pipe(v.nullable(v.string()), v.transform((text) => text ?? "")));

/** Not a record schema: that would leave out names such as "constructor". */
const tags = v.pipe(
  v.custom<Record<string, unknown>>((value) => isObject(value) && Object.values(value).every(isTextOrNull)),
  v.transform((value) =>
    Object.freeze(Object.fromEntries(Object.entries(value).map(([name, text]) => [name, String(text ?? "")])))
  ),
);

const createSchema = object({ url: v.pipe(v.string(), v.nonEmpty()), alias: optionalText });
const replaceSchema = object({ url: v.pipe(v.string(), v.nonEmpty()) });
const masterSchema = object({ alias: optionalText });
const changeSchema = object({
  alias: optionalText,
  action: optionalText,
  restart: v.nullish(v.boolean()),
  meta: v.nullish(object({
    peer: v.nullish(object({ sid: clearedText, type: clearedText, alias: clearedText })),
    tags: v.nullish(tags),
  })),
});

/** A new instance. */
export function readCreate(body: unknown): { readonly url: string; readonly alias: string } {
  const { url, alias } = read(createSchema, body);
  return { url, alias: alias ?? "" };
}

/** Another URL for an instance. */
export function readReplace(body: unknown): { readonly url: string } {
  return read(replaceSchema, body);
}

/** Another name for the master; null when it stays. */
export function readMasterAlias(body: unknown): string | null {
  return read(masterSchema, body).alias ?? null;
}

/** A change of an instance. */
export function readChange(body: unknown): InstanceChange {
  const { alias, action, restart, meta } = read(changeSchema, body);
  const peer = meta?.peer ?? null;
  return {
    ...(alias ? { alias } : {}),
    ...(action ? { action: actionOf(action) } : {}),
    ...(typeof restart === "boolean" ? { restart } : {}),
    ...(meta
      ? { meta: { ...(peer === null ? {} : { peer: present(peer) }), ...(meta.tags ? { tags: meta.tags } : {}) } }
      : {}),
  };
}

function actionOf(text: string): (typeof ACTIONS)[number] {
  const action = ACTIONS.find((known) => known === text);
  if (action === undefined) throw new ApiError(400, `Invalid action: ${text.slice(0, 64)}`);
  return action;
}

function read<T>(schema: v.GenericSchema<unknown, T>, body: unknown): T {
  const result = v.safeParse(schema, body);
  if (!result.success) throw invalidBody();
  return result.output;
}

function present<T extends object>(value: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>;
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTextOrNull(value: unknown): boolean {
  return value === null || typeof value === "string";
}
