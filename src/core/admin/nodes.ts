/**
 * Nodes, as administrators see and change them.
 *
 * @module
 */
import type { Composition } from "../composition/types.ts";
import type { NodeChange, NodeCreate } from "../contract/admin_types.ts";
import type { JsonObject } from "../contract/types.ts";
import { Failure } from "../failure.ts";
import type { CoreNodeAuth } from "../node_auth/node_auth.ts";
import type { CoreParts } from "../parts.ts";
import { num, type Row } from "../store/database.ts";
import type { AdminCall } from "./call.ts";
import { type Columns, type Found, type RecordKind, Records, type View } from "./records.ts";
import { jsonOf, textOrNull, timeOf } from "./view.ts";

/** How long a node may register again without its key after an administrator said so. */
export const REENROL_MS: number = 60 * 60_000;

/** What nodes need of Core. */
export interface NodeDeps {
  readonly composition: Pick<Composition, "mark" | "changed" | "resync" | "rollback">;
  readonly auth: Pick<CoreNodeAuth, "keys" | "forget">;
  /** Others that remember something of a node. */
  readonly changed?: (nodeId: number) => void;
}

/** The use cases of nodes. */
export class AdminNodes {
  readonly records: Records<NodeCreate, NodeChange>;
  readonly #deps: NodeDeps;

  constructor(parts: Pick<CoreParts, "db">, deps: NodeDeps) {
    this.#deps = deps;
    this.records = new Records(parts, deps.composition, nodeKind(deps));
  }

  /** Makes a node and its first key: the only time that the key is seen. */
  async create(call: AdminCall, input: NodeCreate): Promise<Found & { readonly authKey: string }> {
    const made = await this.records.create(call, input);
    const authKey = await this.#withKey(call, Number(made.view.id), "key");
    return { ...made, authKey };
  }

  /** A new key; the one before goes on for ten minutes. */
  async rotateKey(call: AdminCall, nodeId: number): Promise<string> {
    return await this.#withKey(call, nodeId, "rotate-key");
  }

  async #withKey(call: AdminCall, nodeId: number, action: string): Promise<string> {
    let authKey = "";
    await this.records.act(call, nodeId, action, async (tx) => {
      authKey = await this.#deps.auth.keys.rotate(tx, nodeId);
    });
    return authKey;
  }

  /** Lets a node in that waits. */
  async approve(call: AdminCall, nodeId: number): Promise<Found> {
    return await this.#move(call, nodeId, "approve", ["pending"], "offline");
  }

  /** Shuts a node out; its keys stay. */
  async disable(call: AdminCall, nodeId: number): Promise<Found> {
    return await this.#move(call, nodeId, "disable", ["pending", "offline", "online", "error"], "disabled");
  }

  /** Lets a node in again that was shut out. */
  async enable(call: AdminCall, nodeId: number): Promise<Found> {
    return await this.#move(call, nodeId, "enable", ["disabled"], "offline");
  }

  /** A node that is in the state already is left as it is. */
  async #move(
    call: AdminCall,
    nodeId: number,
    action: string,
    from: readonly string[],
    to: string,
  ): Promise<Found> {
    return await this.records.act(call, nodeId, action, async (tx, row) => {
      const status = String(row.status);
      // An approved node may be anything but pending and disabled.
      const there = to === "disabled" ? status === to : !["pending", "disabled"].includes(status);
      if (there) return;
      if (!from.includes(status)) throw new Failure("CONFLICT", `The node is ${status}`);
      await tx.exec("UPDATE nodes SET status = $2, updated_at = $3 WHERE id = $1", [nodeId, to, call.at]);
    });
  }

  /** Lets whoever knows its code register the node anew, once and within {@linkcode REENROL_MS}. */
  async reenrol(call: AdminCall, nodeId: number): Promise<Found> {
    return await this.records.act(call, nodeId, "reenrol", async (tx) => {
      await tx.exec("UPDATE nodes SET reenrol_until = $2 WHERE id = $1", [nodeId, call.at + REENROL_MS]);
    });
  }

  /** Sends a node its configuration again, under a new number. */
  async resync(call: AdminCall, nodeId: number): Promise<number> {
    await this.records.act(call, nodeId, "resync", () => Promise.resolve());
    return await this.#deps.composition.resync(nodeId);
  }

  /** Sends a node an old configuration, under a new number. */
  async rollback(call: AdminCall, nodeId: number, revision: number): Promise<number> {
    const issued = await this.#deps.composition.rollback(nodeId, revision);
    await this.records.act({ ...call, ifMatch: null }, nodeId, "rollback", () => Promise.resolve({ revision, issued }));
    return issued;
  }
}

function nodeKind({ auth, changed }: NodeDeps): RecordKind<NodeCreate, NodeChange> {
  return {
    noun: "node",
    table: "nodes",
    key: "id",
    filters: { code: "code", status: "status", syncStatus: "sync_status", region: "region" },
    moving: [
      "syncStatus",
      "desiredRevision",
      "deliveredRevision",
      "appliedRevision",
      "lastSeenAt",
      "lastError",
      "agentVersion",
      "agentServices",
    ],
    sent: ["routing"],
    view: nodeView,
    creating: (_, { code, ...rest }) => ({ code, ...columnsOf(rest) }),
    changing: (_, input) => columnsOf(input),
    removing: async (tx, row) => {
      await tx.exec("DELETE FROM delivered_pairs WHERE node_id = $1", [num(row.id)]);
    },
    nodes: (_, row) => ({ nodeIds: [num(row.id)] }),
    changed: async (row) => {
      changed?.(num(row.id));
      await auth.forget(num(row.id));
    },
  };
}

function nodeView(row: Row): View {
  const error = row.last_error_at === null ? null : {
    at: timeOf(row.last_error_at),
    code: textOrNull(row.last_error_code),
    message: textOrNull(row.last_error_message),
    details: jsonOf<JsonObject | null>(row.last_error_details, null),
  };
  return {
    id: num(row.id),
    code: String(row.code),
    name: String(row.name),
    ip: String(row.ip),
    port: num(row.port),
    region: String(row.region),
    domain: textOrNull(row.domain),
    status: String(row.status),
    syncStatus: String(row.sync_status),
    desiredRevision: num(row.desired_revision),
    deliveredRevision: num(row.delivered_revision),
    appliedRevision: num(row.applied_revision),
    usageMultiplierPpm: num(row.usage_multiplier_ppm),
    routing: jsonOf<JsonObject>(row.routing, {}),
    lastSeenAt: timeOf(row.last_seen_at),
    lastError: error,
    agentVersion: textOrNull(row.agent_version),
    agentServices: textOrNull(row.agent_services),
    reenrolUntil: timeOf(row.reenrol_until),
    createdAt: timeOf(row.created_at),
    updatedAt: timeOf(row.updated_at),
  };
}

function columnsOf({ name, ip, port, region, domain, usageMultiplierPpm, routing }: NodeChange): Columns {
  return {
    name,
    ip,
    port,
    region,
    domain,
    usage_multiplier_ppm: usageMultiplierPpm,
    routing: routing === undefined ? undefined : JSON.stringify(routing),
  };
}
