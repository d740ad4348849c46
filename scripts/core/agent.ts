/**
 * An agent without the programs that it drives: it fetches and confirms its configuration, calls as often as Core asks
 * for, and reports what its counters show exactly once.
 *
 * @module
 */
import type { NodeConfig } from "../../src/core/contract/types.ts";
import { Lost, type NodeDoor, type OnlineItem, type OutboundItem, Refused, type UsageItem } from "./door.ts";
import { Journal, type ReportKind } from "./journal.ts";
import { counterAt, outboundCounter, type Span } from "./traffic.ts";

/** Options of {@linkcode Agent}. */
export interface AgentOptions {
  readonly code: string;
  readonly door: NodeDoor;
  /** Where its journal is. */
  readonly folder: string;
  readonly span: Span;
  /** How many times faster than Core asks it calls. @default 1 */
  readonly speed?: number;
  /** It begins within this time, and reports for the first time within this time after its configuration. */
  readonly spreadMs?: number | undefined;
  /** The longest pause before a report that was lost is sent again. @default 4_000 */
  readonly mostRetryMs?: number | undefined;
}

/** What an agent did. */
export interface AgentCounts {
  calls: number;
  lostCalls: number;
  rewinds: number;
  gaps: number;
  syncs: number;
  /** Refusals that no agent should meet. */
  readonly faults: string[];
}

interface Client {
  /** `<uuid>.<nodeProtocolId>` */
  readonly email: string;
  readonly userId: number;
  readonly subscriptionId: number | null;
  readonly nodeProtocolId: number;
}

const OUTBOUND = "direct";
const RETRY_MS = 250;

/** See the module. */
export class Agent {
  readonly counts: AgentCounts = { calls: 0, lostCalls: 0, rewinds: 0, gaps: 0, syncs: 0, faults: [] };
  readonly #options: AgentOptions;
  readonly #journal: Journal;
  readonly #configured = Promise.withResolvers<void>();
  readonly #drained = Promise.withResolvers<void>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #config: NodeConfig | null = null;
  #clients: readonly Client[] = [];
  #stopped = false;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#journal = new Journal(options.folder);
  }

  /** Resolves when the traffic is over and Core has all of it. */
  get drained(): Promise<void> {
    return this.#drained.promise;
  }

  /** The revision that it runs. */
  get revision(): number | null {
    return this.#config?.revision ?? null;
  }

  /** Begins to call. Agents that start together do not call together. */
  start(): void {
    const { door, speed = 1, spreadMs } = this.#options;
    this.#loop(() => door.pace.hb, () => this.#heartbeat(), (spreadMs ?? 0) * Math.random());
    this.#loop(() => door.pace.stats, () => this.#stats(), door.pace.stats / speed * Math.random());
    this.#loop(() => door.pace.online, () => this.#online(), door.pace.online / speed * Math.random());
    this.#configured.promise.then(() => {
      const withinMs = spreadMs ?? door.pace.usage / speed;
      this.#loop(() => door.pace.usage, () => this.#usage(), withinMs * Math.random());
    });
  }

  /** Is gone without a farewell. */
  kill(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#journal.drop();
    this.#options.door.close();
  }

  /** One call after the other, the next one a pause after the last: a slow call never stacks. */
  #loop(pauseMs: () => number, run: () => Promise<void>, firstMs: number): void {
    const { speed = 1 } = this.#options;
    const later = (ms: number): void => {
      if (this.#stopped) return;
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        run().catch((error) => this.#failed(error)).finally(() => later(pauseMs() / speed));
      }, ms * (0.8 + Math.random() * 0.4));
      this.#timers.add(timer);
    };
    later(firstMs);
  }

  async #heartbeat(): Promise<void> {
    const { door } = this.#options;
    const { needSync } = await this.#call(() => door.heartbeat(this.revision, null));
    if (!needSync) return;
    const config = await this.#call(() => door.latestConfig());
    this.#config = config;
    this.#clients = clientsOf(config);
    this.counts.syncs++;
    this.#configured.resolve();
    await this.#call(() => door.configApplied(config.revision));
  }

  async #stats(): Promise<void> {
    await this.#call(() =>
      this.#options.door.nodeStats({
        ...{ uptimeSeconds: 86_400, cpuPercent: 12.5, cpuCores: 2, ramUsed: 5e8, ramTotal: 2e9, diskUsed: 5e9 },
        ...{ diskTotal: 2e10, netRxPerSec: 1e6, netTxPerSec: 1e6, netRxTotal: 1e12, netTxTotal: 1e12 },
      })
    );
  }

  async #online(): Promise<void> {
    const lastSeen = new Date().toISOString();
    const users = this.#clients.filter((_, index) => index % 10 === 0).map((
      { userId, nodeProtocolId },
    ): OnlineItem => ({
      userId,
      nodeProtocolId,
      ips: [{ ip: `198.51.100.${userId % 250 + 1}`, lastSeen }],
    }));
    await this.#call(() => this.#options.door.onlineUsers(users));
  }

  /** Closes the buckets of now and brings everything to Core. */
  async #usage(): Promise<void> {
    const at = Date.now();
    this.#harvest(at);
    const { door } = this.#options;
    await this.#flush<UsageItem>("usage", (place, entries) => door.usage(place, entries));
    await this.#flush<OutboundItem>("outbound", (place, items) => door.outboundUsage(place, items));
    if (at >= this.#options.span.endsAt) this.#drained.resolve();
  }

  #harvest(at: number): void {
    const { span, code } = this.#options;
    // Rows are per minute.
    const recordedAt = new Date(at - at % 60_000).toISOString();
    const entries: UsageItem[] = [];
    const counters: [string, number, number][] = [];
    for (const { email, ...client } of this.#clients) {
      const now = counterAt(email, span, at);
      const last = this.#journal.counter("usage", email);
      if (now.up === last.up && now.down === last.down) continue;
      entries.push({ ...client, bytesUp: now.up - last.up, bytesDown: now.down - last.down, recordedAt });
      counters.push([email, now.up, now.down]);
    }
    if (entries.length > 0) this.#journal.close("usage", at, entries, counters);
    const name = outboundCounter(code, OUTBOUND);
    const now = counterAt(name, span, at);
    const last = this.#journal.counter("outbound", name);
    if (now.up === last.up) return;
    const item: OutboundItem = { tag: OUTBOUND, bytesUp: now.up - last.up, bytesDown: now.down - last.down };
    this.#journal.close("outbound", at, [item], [[name, now.up, now.down]]);
  }

  async #flush<T>(
    kind: ReportKind,
    send: (place: { stream: string; seq: number; gap: boolean }, entries: readonly T[]) => Promise<void>,
  ): Promise<void> {
    const { mostRetryMs = 4_000 } = this.#options;
    let pauseMs = RETRY_MS;
    for (let batch = this.#journal.next<T>(kind); batch !== null && !this.#stopped;) {
      const { seq, gap, entries } = batch;
      try {
        await this.#call(() => send({ stream: this.#journal.streamOf(kind), seq, gap }, entries));
        if (this.#stopped) return;
        if (gap) this.counts.gaps++;
        this.#journal.ack(kind, seq);
        pauseMs = RETRY_MS;
      } catch (error) {
        if (this.#stopped) return;
        if (error instanceof Refused && error.code === "SEQ_GAP" && error.nextSeq !== null) {
          this.counts.rewinds++;
          this.#journal.rewind(kind, error.nextSeq);
        } else {
          if (!(error instanceof Lost) && !(error instanceof Refused && error.passing)) throw error;
          // What Core says is this agent's own time; a call that was lost is tried again soon.
          const waitMs = error instanceof Refused
            ? error.retryAfterMs * (1 + Math.random() / 10)
            : pauseMs * Math.random();
          await new Promise((resolve) => setTimeout(resolve, waitMs));
          pauseMs = Math.min(pauseMs * 2, mostRetryMs);
        }
        if (this.#stopped) return;
      }
      batch = this.#journal.next<T>(kind);
    }
  }

  async #call<T>(run: () => Promise<T>): Promise<T> {
    this.counts.calls++;
    return await run();
  }

  #failed(error: unknown): void {
    if (this.#stopped) return;
    if (error instanceof Lost) this.counts.lostCalls++;
    else if (!(error instanceof Refused && error.passing)) {
      if (this.counts.faults.length < 3) console.error(`${this.#options.code}: ${error}`);
      this.counts.faults.push(String(error));
    }
  }
}

/** Everybody whom a configuration lets in. */
export function clientsOf({ clientMap, services }: NodeConfig): Client[] {
  return (services.xray?.inbounds ?? []).flatMap(({ settings }) => {
    const { clients = [] } = (settings ?? {}) as { clients?: readonly { readonly email: string }[] };
    return clients.flatMap(({ email }) => {
      const dot = email.lastIndexOf(".");
      const client = clientMap[email.slice(0, dot)];
      if (client === undefined) return [];
      const { userId, subscriptionId } = client;
      return [{ email, userId, subscriptionId, nodeProtocolId: Number(email.slice(dot + 1)) }];
    });
  });
}
