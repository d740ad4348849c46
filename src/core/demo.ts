/**
 * A small example to look around in: people, what they bought, nodes, and who may use what where.
 *
 * @module
 */
import { NodePassError } from "../errors.ts";
import type { RunningCore } from "./start.ts";

type Made = Readonly<Record<string, unknown>>;

const NODES = [
  {
    code: "de-fra-1",
    name: "Frankfurt 1",
    ip: "203.0.113.7",
    port: 8080,
    region: "eu-central",
    domain: "fra.example.org",
  },
  { code: "nl-ams-1", name: "Amsterdam 1", ip: "203.0.113.24", port: 8080, region: "eu-west" },
] as const;
const GIB = 2 ** 30;
/** A limited plan, one without a limit, and one that does not run. */
const USERS = [
  { name: "alice", subscription: { name: "50 GiB a month", limitBytes: 50 * GIB } },
  { name: "bob", subscription: { name: "Unlimited" } },
  { name: "carol", note: "On holiday", subscription: { name: "5 GiB trial", limitBytes: 5 * GIB, status: "disabled" } },
] as const;

/**
 * Fills a Core that was started for the first time, through its own routes.
 *
 * @returns lines that tell what is there and what to try next
 * @throws {NodePassError} `usage` for a Core that somebody uses already
 */
export async function fillDemo({ httpUrl, grpc, adminToken }: RunningCore): Promise<string[]> {
  if (adminToken === null) {
    throw new NodePassError(
      "usage",
      "Cannot fill this database with the demo: it is in use. DATABASE_URL names another",
    );
  }
  const make = async (path: string, body: object): Promise<Made> => await post(httpUrl + path, adminToken, body);
  const nodes: Made[] = [];
  for (const node of NODES) {
    const made = await make("/admin/nodes", node);
    const nodeId = made.id;
    await make("/admin/node-protocols", {
      ...{ nodeId, service: "xray", protocol: "vless", tag: "vless-443" },
      settings: { port: 443, settings: { decryption: "none" }, streamSettings: { network: "tcp", security: "none" } },
    });
    await make("/admin/node-protocols", {
      ...{ nodeId, service: "mtproto", protocol: "mtproto", tag: "telegram-8443" },
      settings: { port: 8443, tlsDomain: "www.example.org" },
    });
    await make("/admin/node-outbounds", { nodeId, tag: "direct", settings: { protocol: "freedom" } });
    nodes.push(made);
  }
  await make("/admin/node-tunnels", {
    ...{ nodeId: nodes[0]!.id, alias: "intranet" },
    url: "server://127.0.0.1:10101/127.0.0.1:8081?tls=1",
  });
  const links: Made[] = [];
  for (const { subscription, ...user } of USERS) {
    const { id: userId } = await make("/admin/users", user);
    const { id: subscriptionId } = await make("/admin/subscriptions", { userId, ...subscription });
    links.push(await make("/admin/links", { userId, subscriptionId, kind: "xray", everywhere: true }));
    await make("/admin/links", { userId, subscriptionId, kind: "mtproto", everywhere: true });
  }
  return hints(httpUrl, `${grpc.host}:${grpc.port}`, adminToken, nodes, links);
}

function hints(
  httpUrl: string,
  grpc: string,
  adminToken: string,
  nodes: readonly Made[],
  links: readonly Made[],
): string[] {
  const [first] = nodes;
  const bearer = '-H "Authorization: Bearer $TOKEN"';
  const admin = `${bearer} ${httpUrl}/admin`;
  const node = `-H "x-node-auth-key: $KEY" ${httpUrl}/node`;
  return [
    `Filled with ${NODES.length} nodes, ${USERS.length} users, their subscriptions and ${2 * links.length} links.`,
    "",
    `HTTP  ${httpUrl}   gRPC  ${grpc}`,
    ...nodes.map(({ code, authKey }) => `Key of ${code}  ${authKey}`),
    "",
    "As an administrator:",
    `  TOKEN=${adminToken}`,
    `  curl -s ${admin}/nodes`,
    `  curl -s ${bearer} "${httpUrl}/admin/links?userId=1"`,
    `  curl -sN ${admin}/events`,
    `As the node ${first?.code}:`,
    `  KEY=${first?.authKey}`,
    `  curl -s -H "Content-Type: application/json" -d '{}' ${node}/heartbeat`,
    `  curl -s ${node}/config/latest`,
    "Then let a subscription end, and see the next revision without its users:",
    `  curl -s -X PATCH -H "Content-Type: application/json" -d '{"status":"disabled"}' ${admin}/subscriptions/1`,
  ];
}

async function post(url: string, token: string, body: object): Promise<Made> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Authorization": `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (response.ok) return JSON.parse(text) as Made;
  throw new NodePassError("protocol", `Cannot fill the demo: ${url} answers ${response.status} ${text}`);
}
