/**
 * An administrator who fills a Core with people and nodes.
 *
 * @module
 */
const AT_ONCE = 8;

/** A node and its key. */
export interface MadeNode {
  readonly id: number;
  readonly code: string;
  readonly key: string;
  /** Its one inbound. */
  readonly protocolId: number;
}

/** What was made. */
export interface Population {
  readonly nodes: readonly MadeNode[];
  /** UUIDs of the links, each of another user. */
  readonly uuids: readonly string[];
  readonly userIds: readonly number[];
  readonly subscriptionIds: readonly number[];
}

/** Calls the routes of administrators. */
export class Admin {
  /** Where Core is. */
  base: string;
  readonly #token: string;

  constructor(base: string, token: string) {
    this.base = base;
    this.#token = token;
  }

  /** One call that has to succeed; its body. */
  // deno-lint-ignore no-explicit-any
  async call(method: string, path: string, body?: unknown): Promise<any> {
    const response = await fetch(this.base + path, {
      method,
      headers: {
        Authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }

  /** Users with a subscription and a link each, and nodes with an inbound each where all of them are let in. */
  async populate(counts: {
    readonly nodes: number;
    readonly users: number;
    /** One: numbers come in the order in which things are made. */
    readonly atOnce?: number;
  }): Promise<Population> {
    const nodes: MadeNode[] = [];
    const uuids: string[] = [];
    const userIds: number[] = [];
    const subscriptionIds: number[] = [];
    const periodStartedAt = new Date(Date.now() - 40 * 86_400_000).toISOString();
    await all(counts.users, counts.atOnce, async (index) => {
      const user = await this.call("POST", "/admin/users", { name: `user-${index}` });
      const subscription = await this.call("POST", "/admin/subscriptions", { userId: user.id, periodStartedAt });
      const link = await this.call("POST", "/admin/links", {
        ...{ userId: user.id, subscriptionId: subscription.id, kind: "xray", everywhere: true },
        // Lists are in the order of these.
        uuid: `0d4c7f2a-91b6-4e38-8a55-${index.toString(16).padStart(12, "0")}`,
      });
      userIds[index] = user.id;
      subscriptionIds[index] = subscription.id;
      uuids[index] = link.uuid;
    });
    await all(counts.nodes, counts.atOnce, async (index) => {
      const code = `node-${index}`;
      const { id, authKey } = await this.call("POST", "/admin/nodes", {
        ...{ code, name: `Node ${index}`, ip: `203.0.113.${index % 250 + 1}`, port: 8080, region: "eu" },
      });
      const protocol = await this.call("POST", "/admin/node-protocols", {
        ...{ nodeId: id, service: "xray", protocol: "vless", tag: "vless-443", settings: { port: 443 } },
      });
      nodes[index] = { id, code, key: authKey, protocolId: protocol.id };
    });
    return { nodes, uuids, userIds, subscriptionIds };
  }
}

async function all(count: number, atOnce = AT_ONCE, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
