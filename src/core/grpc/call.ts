/**
 * One call from its arrival to its end: the key, the deadline, the status.
 *
 * @module
 */
import { Metadata, type sendUnaryData, type ServerUnaryCall, status as Status } from "@grpc/grpc-js";
import { clientAddress } from "../client_address.ts";
import { Failure } from "../failure.ts";
import type { MetricLabels } from "../metrics.ts";
import { formatIntervals, type NodeAuth, type NodeIntervals } from "../node_calls.ts";
import type { CoreParts } from "../parts.ts";
import { uuidV7 } from "../uuid.ts";
import type { Deadlines } from "./deadlines.ts";
import { requestKey } from "./request_key.ts";
import type { Rpc } from "./rpcs.ts";
import type { ShortTurns } from "./short_turns.ts";
import { errorStatus } from "./status.ts";

/** A call that takes longer is given up; its report may still be written. */
export const CALL_DEADLINE_MS: number = 10_000;

/** What calls need of Core. */
export type CallParts = Pick<CoreParts, "runtime" | "logger" | "settings" | "metrics">;

/** What calls need besides. */
export interface CallDeps {
  readonly auth: NodeAuth;
  readonly intervals: { of(nodeId: number): NodeIntervals };
}

type Call = ServerUnaryCall<Uint8Array, Uint8Array>;

/** The handler of one kind of call. */
export function handlerOf(
  rpc: Rpc,
  parts: CallParts,
  deps: CallDeps,
  { deadlines, turns }: { readonly deadlines: Deadlines; readonly turns: ShortTurns },
): (call: Call, done: sendUnaryData<Uint8Array>) => void {
  const { runtime: { clock, random }, logger, metrics } = parts;
  const method = { method: rpc.name };
  // By how calls end: always the same objects, so that they are put into words once.
  const labels = new Map<Status, MetricLabels>();
  const labelsOf = (code: Status): MetricLabels => {
    const known = labels.get(code) ?? { ...method, code: Status[code] ?? "UNKNOWN" };
    labels.set(code, known);
    return known;
  };
  return (call, done) => {
    const startedAt = clock.now();
    turns.begins(startedAt);
    const requestId = uuidV7(clock.wall(), random);
    let ended = false;
    const end: sendUnaryData<Uint8Array> = (error, answer) => {
      if (ended) return;
      ended = true;
      inTime();
      const code = error === null ? Status.OK : error.code ?? Status.UNKNOWN;
      metrics.count("core_grpc_calls_total", 1, labelsOf(code));
      metrics.observe("core_grpc_call_seconds", (clock.now() - startedAt) / 1000, method);
      done(error, answer);
    };
    const inTime = deadlines.begin(startedAt, () => {
      end({ code: Status.DEADLINE_EXCEEDED, details: "The call took too long", metadata: trailers(requestId) });
    });
    serve(rpc, call, requestId, parts, deps).then(
      (answer) => end(null, answer),
      (error) => end(errorStatus(error, requestId, logger)),
    );
  };
}

async function serve(
  { access, limit, run }: Rpc,
  call: Call,
  requestId: string,
  parts: CallParts,
  { auth, intervals }: CallDeps,
): Promise<Uint8Array> {
  const { metadata, request } = call;
  const { trustedProxies } = parts.settings;
  const header = (name: string): string | undefined => {
    const values = metadata.get(name);
    return values.length > 1 ? values.join(", ") : values[0]?.toString();
  };
  const caller = await auth.authenticate({
    // The same key in both places is one key; two headers are none, as over HTTP.
    keys: [header("x-node-auth-key") ?? "", requestKey(request)].filter((key) => key !== ""),
    ip: clientAddress(
      peerAddress(call.getPeer()),
      trustedProxies.length === 0 ? null : header("x-forwarded-for") ?? null,
      trustedProxies,
    ),
    agentServices: header("x-agent-services") ?? null,
    access,
  });
  const head = trailers(requestId);
  head.set("x-core-time", String(Math.round(parts.runtime.clock.wall())));
  head.set("x-core-intervals", formatIntervals(intervals.of(caller.nodeId)));
  call.sendMetadata(head);
  if (request.length > limit) throw new Failure("PAYLOAD_TOO_LARGE", `The request is longer than ${limit} bytes`);
  return await run(caller, request, header);
}

function trailers(requestId: string): Metadata {
  const metadata = new Metadata();
  metadata.set("x-request-id", requestId);
  return metadata;
}

/** Without its port; the library puts no brackets around IPv6. */
function peerAddress(peer: string): string {
  const colon = peer.lastIndexOf(":");
  return colon === -1 ? "" : peer.slice(0, colon);
}
