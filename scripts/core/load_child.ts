/**
 * As many calls a second as asked for. The plan comes as the first argument, a file of JSON; the result is one line of
 * JSON.
 *
 * Calls begin when they are due, whether or not earlier ones have ended, and count from then on.
 *
 * @module
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect } from "node:http2";
import process from "node:process";
import {
  HeartbeatRequestSchema,
  ReportOnlineUsersRequestSchema,
  ReportUsageRequestSchema,
} from "../../src/core/contract/generated/node_service_pb.ts";
import { EMPTY, framed, plainCall, STATS } from "./plain_calls.ts";

/** What to do. */
export interface LoadPlan {
  readonly base: string;
  readonly grpcPort: number;
  readonly nodes: readonly { readonly key: string; readonly protocolId: number; readonly revision: number }[];
  readonly users: readonly { readonly userId: number; readonly subscriptionId: number }[];
  /** Calls per second. */
  readonly rate: number;
  readonly seconds: number;
  /** Before that: the same calls, which do not count. Both ends are young then, and their code is not compiled yet. */
  readonly warmSeconds: number;
  readonly connections: number;
}

/** What came of it. */
export interface LoadResult {
  readonly calls: number;
  readonly perSecond: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
  /** Bytes in each direction that reports had. */
  readonly bytes: number;
  readonly cpuSeconds: number;
}

type Kind = "Heartbeat" | "ReportNodeStats" | "ReportOnlineUsers" | "ReportUsage" | "GetLatestConfig" | "session";

/** Out of a thousand, as a fleet of ten thousand nodes has them. */
const MIX: readonly (readonly [Kind, number])[] = [
  ["Heartbeat", 122],
  ["ReportNodeStats", 604],
  ["ReportOnlineUsers", 244],
  ["ReportUsage", 20],
  ["GetLatestConfig", 5],
  ["session", 5],
];
/** Of one report. */
const USERS = 20;
const BYTES = 1_000;
const TICK_MS = 5;
const DRAIN_MS = 15_000;

const plan = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as LoadPlan;
const sessions = Array.from({ length: plan.connections }, () => connect(`http://127.0.0.1:${plan.grpcPort}`));
const agent = new Agent({ keepAlive: true, maxSockets: 16 });
const latencies: number[] = [];
const errors: Record<string, number> = {};
let [begun, ended, bytes] = [0, 0, 0];

class Node {
  readonly key: string;
  readonly stream: string = randomUUID();
  readonly heartbeat: Uint8Array;
  readonly #protocol: bigint;
  readonly #users: LoadPlan["users"];
  #online: Uint8Array = new Uint8Array();
  #onlineAt = 0;
  seq = 1;
  reporting = false;

  constructor({ key, protocolId, revision }: LoadPlan["nodes"][number], index: number) {
    this.key = key;
    this.#protocol = BigInt(protocolId);
    const first = index * USERS % Math.max(1, plan.users.length - USERS + 1);
    this.#users = plan.users.slice(first, first + USERS);
    this.heartbeat = framed(
      toBinary(HeartbeatRequestSchema, create(HeartbeatRequestSchema, { revision: BigInt(revision) })),
    );
  }

  /** Made anew every other second. */
  online(now: number): Uint8Array {
    if (now - this.#onlineAt < 2_000) return this.#online;
    this.#onlineAt = now;
    const lastSeen = new Date(now).toISOString();
    const users = this.#users.map(({ userId }) => ({
      userId: BigInt(userId),
      nodeProtocolId: this.#protocol,
      ips: [{ ip: `198.51.100.${userId % 250 + 1}`, lastSeen }],
    }));
    return this.#online = framed(
      toBinary(ReportOnlineUsersRequestSchema, create(ReportOnlineUsersRequestSchema, { users })),
    );
  }

  usage(now: number): Uint8Array {
    const recordedAt = new Date(now - now % 60_000).toISOString();
    const entries = this.#users.map(({ userId, subscriptionId }) => ({
      ...{ userId: BigInt(userId), subscriptionId: BigInt(subscriptionId), nodeProtocolId: this.#protocol },
      ...{ bytesUp: BigInt(BYTES), bytesDown: BigInt(BYTES), recordedAt },
    }));
    return framed(toBinary(ReportUsageRequestSchema, create(ReportUsageRequestSchema, { entries })));
  }

  get share(): number {
    return this.#users.length * BYTES;
  }

  get someone(): number {
    return this.#users[0]?.userId ?? 1;
  }
}

const nodes = plan.nodes.map((node, index) => new Node(node, index));

/** Which kind the n-th call is, evenly mixed. */
const order: Kind[] = [];
for (let index = 0; index < 1_000; index++) {
  const [kind] = MIX.map((
    [name, weight],
  ) => [name, weight * (index + 1) / 1_000 - order.filter((k) => k === name).length])
    .reduce((a, b) => b[1]! > a[1]! ? b : a);
  order.push(kind as Kind);
}

function begin(due: number): void {
  const number = begun++;
  let node = nodes[number % nodes.length]!;
  let kind = order[number % 1_000]!;
  if (kind === "ReportUsage") {
    node = nodes.find(({ reporting }, index) => !reporting && index >= number % nodes.length) ?? node;
    // Reports of a node come one after the other.
    if (node.reporting) kind = "Heartbeat";
  }
  if (kind === "session") return session(node, number, due);
  let body = EMPTY;
  let headers = {};
  if (kind === "Heartbeat") body = node.heartbeat;
  else if (kind === "ReportNodeStats") body = STATS;
  else if (kind === "ReportOnlineUsers") body = node.online(Date.now());
  else if (kind === "ReportUsage") {
    body = node.usage(Date.now());
    headers = { "x-report-stream": node.stream, "x-report-seq": String(node.seq) };
    node.reporting = true;
  }
  plainCall(sessions[number % sessions.length]!, kind, { key: node.key, body, headers }, ({ error }) => {
    if (kind === "ReportUsage") {
      node.reporting = false;
      node.seq++;
      if (error === "") bytes += node.share;
    }
    end(error, due);
  });
}

function session(node: Node, number: number, due: number): void {
  const occurredAt = new Date(Date.now() - number % 1_000).toISOString();
  const events = [{ userId: node.someone, protocol: "vless", eventType: "online", occurredAt }];
  const headers = { "content-type": "application/json", "x-node-auth-key": node.key };
  const call = request(`${plan.base}/node/session-events`, { method: "POST", agent, headers }, (answer) => {
    answer.resume();
    answer.on("end", () => end(answer.statusCode === 200 ? "" : `session ${answer.statusCode}`, due));
  });
  call.on("error", (error) => end(`session ${error.message}`, due));
  call.end(JSON.stringify({ events }));
}

function end(error: string, due: number): void {
  ended++;
  latencies.push(performance.now() - due);
  if (error !== "") errors[error] = (errors[error] ?? 0) + 1;
}

/** Begins calls when they are due, for so long. */
async function load(seconds: number): Promise<void> {
  const startedAt = performance.now();
  const total = plan.rate * seconds;
  let number = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(total, (performance.now() - startedAt) / 1000 * plan.rate);
      while (number < due) begin(startedAt + number++ / plan.rate * 1000);
      if (number < total) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
}

await load(plan.warmSeconds);
const early = begun;
process.stdout.write("warm\n");
latencies.length = 0;
const startedAt = performance.now();
const cpuBefore = process.cpuUsage();
await load(plan.seconds);
const seconds = (performance.now() - startedAt) / 1000;
for (const until = performance.now() + DRAIN_MS; ended < begun && performance.now() < until;) {
  await new Promise((resolve) => setTimeout(resolve, 20));
}
const cpu = process.cpuUsage(cpuBefore);
if (ended < begun) errors["no answer"] = begun - ended;
latencies.sort((a, b) => a - b);
const at = (share: number): number => Math.round((latencies[Math.floor(latencies.length * share)] ?? 0) * 10) / 10;
const result: LoadResult = {
  ...{
    calls: begun - early,
    perSecond: Math.round((begun - early) / seconds),
    errors,
    p50: at(0.5),
    p99: at(0.99),
    worst: at(0.999999),
  },
  ...{ bytes, cpuSeconds: Math.round((cpu.user + cpu.system) / 1e5) / 10 },
};
process.stdout.write(`result ${JSON.stringify(result)}\n`, () => process.exit(0));
