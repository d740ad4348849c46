/**
 * Which nodes serve whom: whose configuration a change makes a difference for.
 *
 * @module
 */
import { type Database, num } from "../store/database.ts";
import type { ChangeScope } from "./types.ts";

/** The nodes that serve the links with this value in a column, whether or not they are let in now. */
export async function nodesServing(
  db: Database,
  column: "user_id" | "subscription_id" | "uuid",
  value: number | string,
): Promise<ChangeScope> {
  const rows = await db.query(
    `SELECT p.node_id FROM subscription_links l
       JOIN link_protocols lp ON lp.uuid = l.uuid JOIN node_protocols p ON p.id = lp.node_protocol_id
       WHERE l.${column} = $1 AND l.everywhere = 0
     UNION SELECT p.node_id FROM node_protocols p
       WHERE p.service IN (SELECT kind FROM subscription_links WHERE ${column} = $1 AND everywhere = 1)`,
    [value],
  );
  return { nodeIds: rows.map(({ node_id }) => num(node_id)) };
}

/** Both together. */
export function joinScopes(a: ChangeScope, b: ChangeScope): ChangeScope {
  if (a === "all" || b === "all") return "all";
  return { nodeIds: [...new Set([...a.nodeIds, ...b.nodeIds])] };
}

/** Nobody's. */
export const NOBODY: ChangeScope = { nodeIds: [] };
