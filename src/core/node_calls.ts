/**
 * What a node may ask of Core: the one set of calls behind HTTP and gRPC.
 *
 * @module
 */

/** A node that proved its key. */
export interface NodeCaller {
  readonly nodeId: number;
  /** The key that it used. */
  readonly keyId: string;
  /** Where the call came from, canonical; "" when nobody knows. */
  readonly ip: string;
  /** What its agent can run besides the services of every agent: the header `x-agent-services`. */
  readonly agentServices: readonly string[];
}

/** How one call wants to be known as a node. */
export interface NodeCredentials {
  /** Every key that the call carries; several that are not equal are refused. */
  readonly keys: readonly string[];
  /** Where the call comes from, canonical. */
  readonly ip: string;
  /** The header `x-agent-services`, a list with commas; null without. */
  readonly agentServices: string | null;
  /** A heartbeat is allowed while a node waits for its approval, nothing else is. */
  readonly access: "heartbeat" | "full";
}

/** Lets nodes in. */
export interface NodeAuth {
  /**
   * The node that a key belongs to. A valid key is never refused because of what else came from its address.
   *
   * @throws {Failure} AUTH_REQUIRED, AUTH_INVALID, RATE_LIMITED, NODE_DISABLED, NODE_PENDING, STORE_UNAVAILABLE
   */
  authenticate(credentials: NodeCredentials): Promise<NodeCaller>;
}

/** What a node says about itself. */
export interface Registration {
  readonly code: string;
  readonly name: string;
  readonly ip: string;
  readonly port: number;
  readonly region: string;
  readonly domain?: string | undefined;
}

/** With what a node asks for its key. */
export interface RegistrationProof {
  /** Where the call comes from, canonical. */
  readonly ip: string;
  /** The header `x-node-join-token`. */
  readonly joinToken: string | null;
  /** The header `idempotency-key`. */
  readonly idempotencyKey: string | null;
  /** The headers `x-node-auth-key`: the key that the node has, to get another one. */
  readonly keys: readonly string[];
}

/** A new key: the only time that it is shown. */
export interface Registered {
  readonly nodeId: number;
  readonly authKey: string;
  /** Ed25519, base64url: what Core signs live requests with. */
  readonly corePublicKey: string;
}

/** A heartbeat. */
export interface Heartbeat {
  readonly ip?: string | undefined;
  /** What the node runs; without it nothing was applied. */
  readonly revision?: number | undefined;
  /** The header `x-config-hash`. */
  readonly configHash?: string | undefined;
}

/** The place of a report in its stream; without a number it is known by its content. */
export interface ReportPlace {
  /** UUID. */
  readonly stream?: string | undefined;
  /** At least 1. */
  readonly seq?: number | undefined;
  /** What is missing before it is lost for good. */
  readonly gap?: boolean | undefined;
}

/** Traffic of one user in one minute. */
export interface UsageEntry {
  readonly userId: number;
  readonly subscriptionId?: number | null | undefined;
  readonly nodeProtocolId: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** ISO-8601 with `Z` or an offset. */
  readonly recordedAt: string;
}

/** Traffic of users. */
export interface UsageReport extends ReportPlace {
  readonly entries: readonly UsageEntry[];
}

/** Traffic of one outbound. */
export interface OutboundUsageItem {
  readonly tag: string;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** Traffic of outbounds. */
export interface OutboundUsageReport extends ReportPlace {
  readonly items: readonly OutboundUsageItem[];
}

/** Somebody came or went. */
export interface SessionEvent {
  readonly userId: number;
  readonly protocol: string;
  /** Lower case. */
  readonly eventType: "online" | "offline";
  readonly occurredAt: string;
  readonly ipAddress?: string | undefined;
}

/** What went wrong on a node. */
export interface NodeError {
  readonly message: string;
  readonly code?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** Figures of a node. */
export interface NodeStatsReport {
  readonly system?: Readonly<Record<string, number>> | undefined;
  readonly xray?: { readonly running: boolean; readonly uptimeSeconds?: number | undefined } | undefined;
  /** By inbound tag. */
  readonly mtproto?: Readonly<Record<string, unknown>> | undefined;
  /** Checkpoints of the tunnels of the node, by instance. */
  readonly nodepass?: Readonly<Record<string, unknown>> | undefined;
}

/** Who is connected. */
export interface OnlineUser {
  readonly userId: number;
  readonly nodeProtocolId: number;
  readonly ips: readonly { readonly ip: string; readonly lastSeen: string }[];
}

/** What a node is to run, as it is sent. */
export interface ConfigAnswer {
  readonly revision: number;
  /** The header `ETag`, in its quotes. */
  readonly etag: string;
  /** The body. */
  readonly json: Uint8Array<ArrayBuffer>;
  /** The body, compressed. */
  readonly gz: Uint8Array<ArrayBuffer>;
  /** The parts of the body. */
  readonly config: {
    readonly revision: number;
    readonly clientMap: Readonly<Record<string, unknown>>;
    readonly mtprotoClientMap: Readonly<Record<string, unknown>>;
    readonly services: Readonly<Record<string, unknown>>;
  };
}

/** Every call of a node. HTTP and gRPC have checked the shapes; each call checks the rest. */
export interface NodeService {
  /** @throws {Failure} JOIN_DENIED, NODE_EXISTS, RATE_LIMITED */
  register(proof: RegistrationProof, input: Registration): Promise<Registered>;
  heartbeat(caller: NodeCaller, input: Heartbeat): Promise<{ readonly needSync: boolean }>;
  /** @throws {Failure} SEQ_GAP, VALIDATION_FAILED */
  usage(caller: NodeCaller, input: UsageReport): Promise<void>;
  /** @throws {Failure} SEQ_GAP */
  outboundUsage(caller: NodeCaller, input: OutboundUsageReport): Promise<void>;
  sessionEvents(caller: NodeCaller, input: { readonly events: readonly SessionEvent[] }): Promise<void>;
  /**
   * What the node is to run.
   *
   * @param input.ifNoneMatch entity tags of what the node has: an answer of null says that nothing changed
   */
  latestConfig(caller: NodeCaller, input: { readonly ifNoneMatch?: string | undefined }): Promise<ConfigAnswer | null>;
  /** @throws {Failure} REVISION_AHEAD */
  configApplied(caller: NodeCaller, input: { readonly revision: number }): Promise<void>;
  nodeError(caller: NodeCaller, input: NodeError): Promise<void>;
  nodeStats(caller: NodeCaller, input: NodeStatsReport): Promise<void>;
  onlineUsers(caller: NodeCaller, input: { readonly users: readonly OnlineUser[] }): Promise<void>;
}

/** How often a node is to call, in milliseconds. */
export interface NodeIntervals {
  readonly heartbeat: number;
  readonly stats: number;
  readonly online: number;
  readonly usage: number;
}

/** The header `x-core-intervals`, or the metadata of that name. */
export function formatIntervals({ heartbeat, stats, online, usage }: NodeIntervals): string {
  return `hb=${heartbeat},stats=${stats},online=${online},usage=${usage}`;
}
