/**
 * People.
 *
 * @module
 */
import { nodesServing } from "../composition/serving.ts";
import type { UserChange, UserCreate } from "../contract/admin_types.ts";
import { num } from "../store/database.ts";
import type { Columns, RecordKind } from "./records.ts";
import { textOrNull, timeOf } from "./view.ts";

/** Users: who is disabled is let in nowhere. */
export const users: RecordKind<UserCreate, UserChange> = {
  noun: "user",
  table: "users",
  key: "id",
  filters: { name: "name", status: "status" },
  moving: ["firstConnectedAt"],
  sent: ["status"],
  view: (row) => ({
    id: num(row.id),
    name: String(row.name),
    note: textOrNull(row.note),
    status: String(row.status),
    firstConnectedAt: timeOf(row.first_connected_at),
    createdAt: timeOf(row.created_at),
    updatedAt: timeOf(row.updated_at),
  }),
  creating: (_, input) => columnsOf(input),
  changing: (_, input) => columnsOf(input),
  nodes: (tx, row) => nodesServing(tx, "user_id", num(row.id)),
  // Addresses and times are nobody's any more; what was counted stays.
  removing: async (tx, row) => {
    await tx.exec("DELETE FROM user_ips WHERE user_id = $1", [row.id ?? null]);
    await tx.exec("DELETE FROM session_events WHERE user_id = $1", [row.id ?? null]);
  },
};

function columnsOf({ name, note, status }: UserChange): Columns {
  return { name, note, status };
}
