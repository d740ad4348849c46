/**
 * Routes of records: the same five for every kind.
 *
 * @module
 */
import type { Records } from "../../admin/records.ts";
import { digits, type Field, text } from "../../contract/fields.ts";
import type { Body } from "../../contract/parse.ts";
import type { Scope } from "../../contract/types.ts";
import type { CoreContext } from "../../request.ts";
import { type AdminRoute, answerFound, answerOk, answerPage, bodyOf, pageRequest, pathOf, queryOf } from "./call.ts";

const ID: Field<number> = digits(1);
const TEXT: Field<string> = text(1, 128);

/** What differs between kinds. */
export interface RecordRoutes<Create extends object, Change extends object> {
  /** `/admin/users` */
  readonly path: string;
  readonly records: Records<Create, Change>;
  readonly create: Body<Create>;
  readonly change: Body<Change>;
  /** The name of the key in the path. @default "id" */
  readonly key?: { readonly name: string; readonly field: Field<string | number> };
  /** What a change needs. @default "write" */
  readonly scope?: Scope;
}

/** List, create, read, change and remove. */
export function recordRoutes<Create extends object, Change extends object>(
  { path, records, create, change, key, scope = "write" }: RecordRoutes<Create, Change>,
): AdminRoute[] {
  const { name, field } = key ?? { name: "id", field: ID };
  const one = `${path}/{${name}}`;
  const keyOf = (c: CoreContext): string | number => pathOf(c, name, field);
  return [
    ["GET", path, "read", async (c) => answerPage(await records.list(pageRequest(c), filtersOf(c, records.filters)))],
    ["POST", path, scope, async (c, call) => answerFound(await records.create(call, await bodyOf(c, create)))],
    ["GET", one, "read", async (c) => answerFound(await records.get(keyOf(c)))],
    ["PATCH", one, scope, async (c, call) => {
      const id = keyOf(c);
      return answerFound(await records.change(call, id, await bodyOf(c, change)));
    }],
    ["DELETE", one, scope, async (c, call) => {
      await records.remove(call, keyOf(c));
      return answerOk();
    }],
  ];
}

function filtersOf(c: CoreContext, names: readonly string[]): Record<string, string | number> {
  const filters: Record<string, string | number> = {};
  for (const name of names) {
    const value = queryOf<string | number>(c, name, name.endsWith("Id") ? ID : TEXT);
    if (value !== undefined) filters[name] = value;
  }
  return filters;
}
