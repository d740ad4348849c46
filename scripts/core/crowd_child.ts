/**
 * Agents that hold a connection each and do little with it. The plan comes as the first argument, a file of JSON.
 *
 * Says `synced` when all of them run the configuration of their node and are silent from then on, `live` when they begin
 * to call as often as Core asks for, `settled` with {@linkcode Settled} when all have an answer again after Core was
 * gone, and `result` with {@linkcode CrowdResult} at its end.
 *
 * @module
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { readFileSync } from "node:fs";
import { type ClientHttp2Session, connect } from "node:http2";
import process from "node:process";
import {
  ConfirmConfigAppliedRequestSchema,
  GetLatestConfigResponseSchema,
  HeartbeatRequestSchema,
  HeartbeatResponseSchema,
  ReportOnlineUsersRequestSchema,
} from "../../src/core/contract/generated/node_service_pb.ts";
import { DEFAULT_PACE, type Pace, readPace } from "./door.ts";
import { EMPTY, framed, plainCall, STATS } from "./plain_calls.ts";

/** What to do. */
export interface CrowdPlan {
  readonly grpcPort: number;
  readonly nodes: readonly { readonly key: string; readonly protocolId: number }[];
  readonly userIds: readonly number[];
  /** New connections a second at the beginning. */
  readonly perSecond: number;
  /** How long nobody calls. */
  readonly idleSeconds: number;
  /** How long everybody goes on after Core is back. */
  readonly afterSeconds: number;
}

/** How everybody came back. */
export interface Settled {
  /** From the moment in which hardly anybody was connected any more to the last first answer. */
  readonly seconds: number;
  /** A connection that was asked for until it is there, and its first answer. */
  readonly slowestMs: number;
}

/** What came of it. */
export interface CrowdResult {
  readonly calls: number;
  /** Of calls that Core was there for. */
  readonly errors: Readonly<Record<string, number>>;
  readonly p99Ms: number;
  readonly slowestMs: number;
}

/** For a connection, and for a call. */
const DEADLINE_MS = 10_000;
/** Core is gone when fewer agents than this share are connected. */
const GONE_SHARE = 0.1;
const FIRST_RETRY_MS = 1_000;
const MOST_RETRY_MS = 60_000;

const plan = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as CrowdPlan;
const errors: Record<string, number> = {};
const latencies: number[] = [];
let live = false;
/** Those that Core has said something to. */
let connected = 0;
let lostAt: number | null = null;
/** Who has no answer since Core was gone: all of them at first. */
const away = new Set<CrowdAgent>();
let synced = 0;
let slowestBack = 0;
let settled = (_: Settled): void => {};

class CrowdAgent {
  readonly #key: string;
  readonly #online: Uint8Array;
  #session: ClientHttp2Session | null = null;
  #attempt = 0;
  #revision: bigint | undefined;
  #pace: Pace = DEFAULT_PACE;
  #beating = false;

  constructor({ key, protocolId }: CrowdPlan["nodes"][number]) {
    this.#key = key;
    const lastSeen = new Date().toISOString();
    const users = plan.userIds.map((userId) => ({
      ...{ userId: BigInt(userId), nodeProtocolId: BigInt(protocolId) },
      ips: [{ ip: `198.51.100.${userId % 250 + 1}`, lastSeen }],
    }));
    this.#online = framed(
      toBinary(ReportOnlineUsersRequestSchema, create(ReportOnlineUsersRequestSchema, { users })),
    );
  }

  connect(): void {
    const wantedAt = performance.now();
    const session = connect(`http://127.0.0.1:${plan.grpcPort}`);
    const late = setTimeout(() => session.destroy(), DEADLINE_MS);
    session.on("error", () => {});
    // The first that Core says itself: that there is a connection is what its system says.
    session.once("remoteSettings", () => {
      clearTimeout(late);
      this.#attempt = 0;
      this.#session = session;
      connected++;
      this.#heartbeat(wantedAt);
    });
    session.on("close", () => {
      clearTimeout(late);
      this.#lost(session);
    });
  }

  /** Calls as often as Core asks for, agents that begin together at different times. */
  begin(): void {
    this.#loop(() => this.#pace.hb, () => this.#heartbeat());
    this.#loop(() => this.#pace.stats, () => this.#call("ReportNodeStats", STATS));
    this.#loop(() => this.#pace.online, () => this.#call("ReportOnlineUsers", this.#online));
  }

  #lost(session: ClientHttp2Session): void {
    if (this.#session === session) {
      this.#session = null;
      connected--;
      // A few may lose theirs while Core is there: that is not what this measures.
      if (lostAt === null && connected < agents.length * GONE_SHARE) {
        lostAt = performance.now();
        for (const agent of agents) away.add(agent);
      }
    }
    const most = Math.min(MOST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#attempt++);
    setTimeout(() => this.connect(), Math.random() * most);
  }

  #loop(pauseMs: () => number, run: () => Promise<unknown>): void {
    const later = (share: number): void =>
      void setTimeout(() => {
        run().catch(() => {}).finally(() => later(0.8 + Math.random() * 0.4));
      }, pauseMs() * share);
    later(Math.random());
  }

  /** `wantedAt`: when it, or the connection for it, was asked for. */
  async #heartbeat(wantedAt: number = performance.now()): Promise<void> {
    if (this.#beating) return;
    this.#beating = true;
    try {
      const request = this.#revision === undefined ? {} : { revision: this.#revision };
      const body = framed(toBinary(HeartbeatRequestSchema, create(HeartbeatRequestSchema, request)));
      const { needSync } = fromBinary(HeartbeatResponseSchema, await this.#call("Heartbeat", body, wantedAt));
      this.#back(performance.now() - wantedAt);
      if (needSync) await this.#fetch();
    } catch {
      // The next one tells.
    } finally {
      this.#beating = false;
    }
    // Core spreads over time who is told to fetch.
    if (this.#revision === undefined && !live) setTimeout(() => this.#heartbeat(), this.#pace.hb * Math.random());
  }

  /** The first answer after its connection was lost. */
  #back(ms: number): void {
    if (lostAt === null || !away.delete(this)) return;
    slowestBack = Math.max(slowestBack, ms);
    if (away.size === 0) settled({ seconds: (performance.now() - lostAt) / 1000, slowestMs: slowestBack });
  }

  async #fetch(): Promise<void> {
    const { revision } = fromBinary(GetLatestConfigResponseSchema, await this.#call("GetLatestConfig", EMPTY));
    const applied = create(ConfirmConfigAppliedRequestSchema, { revision });
    await this.#call("ConfirmConfigApplied", framed(toBinary(ConfirmConfigAppliedRequestSchema, applied)));
    if (this.#revision === undefined) synced++;
    this.#revision = revision;
  }

  /** The message that answers it; rejects when there is none. */
  #call(method: string, body: Uint8Array, wantedAt: number = performance.now()): Promise<Uint8Array> {
    const session = this.#session;
    if (session === null || session.destroyed) return Promise.reject(new Error("not connected"));
    return new Promise((resolve, reject) => {
      plainCall(session, method, { key: this.#key, body, deadlineMs: DEADLINE_MS }, ({ error, message, intervals }) => {
        // Core was ended meanwhile.
        if (session !== this.#session || session.destroyed) return reject(new Error("the connection was lost"));
        latencies.push(performance.now() - wantedAt);
        this.#pace = readPace(intervals, this.#pace);
        if (error === "") return resolve(message);
        errors[error] = (errors[error] ?? 0) + 1;
        reject(new Error(error));
      });
    });
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const say = (word: string, value: unknown): boolean => process.stdout.write(`${word} ${JSON.stringify(value)}\n`);

const agents = plan.nodes.map((node) => new CrowdAgent(node));
for (const [index, agent] of agents.entries()) {
  agent.connect();
  if (index % plan.perSecond === plan.perSecond - 1) await pause(1_000);
}
while (synced < agents.length) await pause(100);
say("synced", { agents: synced, errors });
await pause(plan.idleSeconds * 1000);
const gone = new Promise<Settled>((resolve) => settled = resolve);
live = true;
latencies.length = 0;
for (const agent of agents) agent.begin();
say("live", {});
say("settled", await gone);
await pause(plan.afterSeconds * 1000);
latencies.sort((a, b) => a - b);
const tenths = (ms: number | undefined): number => Math.round((ms ?? 0) * 10) / 10;
const result: CrowdResult = {
  ...{ calls: latencies.length, errors },
  ...{ p99Ms: tenths(latencies[Math.floor(latencies.length * 0.99)]), slowestMs: tenths(latencies.at(-1)) },
};
process.stdout.write(`result ${JSON.stringify(result)}\n`, () => process.exit(0));
