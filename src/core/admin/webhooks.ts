/**
 * Where events are sent.
 *
 * @module
 */
import type { WebhookChange, WebhookCreate } from "../contract/admin_types.ts";
import type { CoreParts } from "../parts.ts";
import { base64Url } from "../secret.ts";
import { num } from "../store/database.ts";
import type { Columns, RecordKind } from "./records.ts";
import { flagOf, jsonOf, timeOf } from "./view.ts";

/** Webhooks. Their secrets are seen by whoever makes them, and never again. */
export function webhooks(
  { runtime: { random } }: Pick<CoreParts, "runtime">,
): RecordKind<WebhookCreate, WebhookChange> {
  return {
    noun: "webhook",
    table: "webhooks",
    key: "id",
    filters: {},
    secret: ["secret"],
    view: (row) => ({
      id: num(row.id),
      url: String(row.url),
      types: jsonOf<string[]>(row.types, []),
      enabled: flagOf(row.enabled),
      createdAt: timeOf(row.created_at),
      updatedAt: timeOf(row.updated_at),
    }),
    creating: (_, input) => ({ ...columnsOf(input), secret: input.secret ?? base64Url(random.bytes(32)) }),
    changing: (_, input) => columnsOf(input),
  };
}

function columnsOf({ url, secret, types, enabled }: WebhookChange): Columns {
  return {
    url,
    secret,
    types: types === undefined ? undefined : JSON.stringify(types),
    enabled: enabled === undefined ? undefined : Number(enabled),
  };
}
