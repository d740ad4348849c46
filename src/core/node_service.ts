/**
 * The one layer that HTTP and gRPC call.
 *
 * @module
 */
import { messageOf } from "../errors.ts";
import type { Composition } from "./composition/types.ts";
import type { NodeStats, OnlineUser, OutboundUsageBatch, UsageBatch, UsageEntry } from "./contract/types.ts";
import { Failure, type Issue } from "./failure.ts";
import { createJoinTokens } from "./node_auth/join_tokens.ts";
import type { CoreNodeAuth } from "./node_auth/node_auth.ts";
import { type RegistrationLimits, Registrations } from "./node_auth/registration.ts";
import type { NodeService } from "./node_calls.ts";
import { Liveness } from "./nodes/liveness.ts";
import { NodeErrors } from "./nodes/node_errors.ts";
import { SessionEvents } from "./nodes/session_events.ts";
import { watchStalled } from "./nodes/stalled.ts";
import { tidyKeys } from "./nodes/tidy.ts";
import type { CoreParts } from "./parts.ts";
export type * from "./node_calls.ts";

/** The parts of Core that the calls end in. */
export interface NodeServiceDeps {
  readonly auth: Pick<CoreNodeAuth, "keys" | "forget" | "onForget" | "noteUses">;
  readonly composition: Pick<Composition, "changed" | "latest" | "heartbeat" | "applied" | "failed">;
  readonly usage: {
    admit(nodeId: number, entries: number): void;
    report(nodeId: number, batch: UsageBatch): Promise<void>;
    outbound(nodeId: number, batch: OutboundUsageBatch): Promise<void>;
  };
  readonly presence: { report(nodeId: number, users: readonly OnlineUser[]): Promise<void> };
  readonly stats: { report(nodeId: number, stats: NodeStats): Promise<void> };
  /** How often nodes may register. */
  readonly limits?: Partial<RegistrationLimits>;
}

/** The calls, and what they hold. */
export interface CoreNodeService extends NodeService {
  /** Writes what was heard and not written yet; never rejects. Idempotent. */
  close(): Promise<void>;
}

/** The oldest traffic that is taken: journals of nodes reach back so far. */
const OLDEST_MS: number = 45 * 24 * 60 * 60_000;
/** How far the clock of a node may be ahead. */
const AHEAD_MS: number = 5 * 60_000;
const MOST_ISSUES = 20;
/** No report has more, whatever its head says. */
const MOST_BYTES = 8 * 1024 * 1024;
/** What an entry of traffic takes up about, between the 50 bytes of gRPC and the 150 of JSON. */
const ENTRY_BYTES = 100;

/** The calls of one Core. */
export function createNodeService(parts: CoreParts, deps: NodeServiceDeps): CoreNodeService {
  const { runtime: { clock }, metrics, logger } = parts;
  const { auth, composition, usage, presence, stats } = deps;
  const registrations = new Registrations(parts, { auth, tokens: createJoinTokens(parts), limits: deps.limits });
  const liveness = new Liveness(parts);
  const errors = new NodeErrors(parts, (nodeId) => composition.failed(nodeId));
  const sessions = new SessionEvents(parts);
  watchStalled(parts);
  tidyKeys(parts);
  auth.onForget((nodeId) => liveness.forget(nodeId));
  let closing: Promise<void> | null = null;

  return {
    async register(proof, input) {
      const registered = await registrations.register(proof, input);
      composition.changed({ nodeIds: [registered.nodeId] });
      return registered;
    },
    async heartbeat(caller, { ip, revision, configHash }) {
      await liveness.heard(caller, ip);
      // It could not fetch anything yet.
      if (caller.pending) return { needSync: false };
      return await composition.heartbeat(caller.nodeId, revision ?? null, configHash ?? null);
    },
    admitUsage: ({ nodeId }, bytes) => usage.admit(nodeId, Math.ceil(Math.min(bytes, MOST_BYTES) / ENTRY_BYTES)),
    async usage({ nodeId }, batch) {
      checkTimes(batch.entries, Math.floor(clock.wall()));
      await usage.report(nodeId, batch);
    },
    outboundUsage: ({ nodeId }, batch) => usage.outbound(nodeId, batch),
    sessionEvents: ({ nodeId }, { events }) => sessions.keep(nodeId, events),
    latestConfig: ({ nodeId, agentServices }) => composition.latest(nodeId, { agentServices }),
    configApplied: ({ nodeId }, { revision }) => composition.applied(nodeId, revision),
    nodeError: ({ nodeId }, error) => errors.report(nodeId, error),
    nodeStats: ({ nodeId }, input) => stats.report(nodeId, input),
    async onlineUsers({ nodeId }, { users, droppedIps }) {
      if (droppedIps > 0) metrics.count("core_dropped_ips_total", droppedIps);
      await presence.report(nodeId, users);
    },
    close: () =>
      closing ??= (async () => {
        await errors.close();
        for (const write of [() => liveness.note(), () => auth.noteUses()]) {
          await write().catch((error) =>
            logger.warn("The last calls of nodes were not noted", { reason: messageOf(error) })
          );
        }
      })(),
  };
}

function checkTimes(entries: readonly UsageEntry[], now: number): void {
  const issues: Issue[] = [];
  for (let index = 0; index < entries.length && issues.length < MOST_ISSUES; index++) {
    const { recordedAt } = entries[index] as UsageEntry;
    if (recordedAt >= now - OLDEST_MS && recordedAt <= now + AHEAD_MS) continue;
    issues.push({
      path: `entries.${index}.recordedAt`,
      message: "expected a time from 45 days ago to 5 minutes ahead",
    });
  }
  const [first] = issues;
  if (first !== undefined) throw new Failure("VALIDATION_FAILED", `${first.path}: ${first.message}`, { issues });
}
