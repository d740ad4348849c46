/**
 * Minutes of all nodes, read and forgotten along the key of their table: SQLite has the node before the minute.
 *
 * @module
 */
import type { Database } from "../store/database.ts";

type Dialect = Pick<Database, "dialect">;

/** One look-up for each node, whatever it has. */
const NODES = `WITH RECURSIVE n (id) AS (SELECT MIN(node_id) FROM usage_minutes UNION ALL
    SELECT (SELECT MIN(node_id) FROM usage_minutes WHERE node_id > n.id) FROM n WHERE n.id IS NOT NULL)`;

/** For `FROM`: rows from the minute `$1` to before `$2`. */
export function minutesBetween({ dialect }: Dialect): string {
  if (dialect === "postgres") return "(SELECT * FROM usage_minutes WHERE minute >= $1 AND minute < $2) AS m";
  return `(${NODES} SELECT u.* FROM n CROSS JOIN usage_minutes u
      WHERE u.node_id = n.id AND u.minute >= $1 AND u.minute < $2) AS m`;
}

/** A query for the `first` minute from `$1` to before `$2`; null where there is none. */
export function firstMinuteBetween({ dialect }: Dialect): string {
  const first = "SELECT MIN(minute) AS first FROM usage_minutes WHERE minute >= $1 AND minute < $2";
  return dialect === "postgres" ? first : `${NODES} SELECT MIN((${first} AND node_id = n.id)) AS first FROM n`;
}

/** Deletes what is before the minute `$1`. */
export function deleteMinutes({ dialect }: Dialect): string {
  const all = "DELETE FROM usage_minutes WHERE minute < $1";
  return dialect === "postgres" ? all : `${all} AND node_id IN (${NODES} SELECT id FROM n)`;
}
