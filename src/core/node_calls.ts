/**
 * What a node may ask of Core: the one set of calls behind HTTP and gRPC.
 *
 * @module
 */
import type {
  Heartbeat,
  NodeConfig,
  NodeError,
  NodeStats,
  OnlineReport,
  OutboundUsageBatch,
  Registration,
  SessionEvent,
  UsageBatch,
} from "./contract/types.ts";

/** A node that proved its key. */
export interface NodeCaller {
  readonly nodeId: number;
  /** The key that it used. */
  readonly keyId: string;
  /** Where the call came from, canonical; "" when nobody knows. */
  readonly ip: string;
  /** What its agent can run besides the services of every agent: the header `x-agent-services`. */
  readonly agentServices: readonly string[];
  /** It waits for its approval: it may tell that it is there. */
  readonly pending?: boolean | undefined;
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

/** What a node is to run, as it is sent. */
export interface ConfigAnswer {
  readonly revision: number;
  /** The header `ETag`, in its quotes. */
  readonly etag: string;
  /** The body. */
  readonly json: Uint8Array<ArrayBuffer>;
  /** The body, compressed. */
  readonly gz: Uint8Array<ArrayBuffer>;
  /** The body as a value. */
  readonly config: NodeConfig;
  /** Parts of the body as text, for messages that carry them so. */
  readonly clientMapJson: string;
  readonly mtprotoClientMapJson: string;
  readonly servicesJson: string;
}

/** Every call of a node. HTTP and gRPC have checked the shapes; each call checks the rest. */
export interface NodeService {
  /** @throws {Failure} JOIN_DENIED, NODE_EXISTS, RATE_LIMITED, NODE_DISABLED */
  register(proof: RegistrationProof, input: Registration): Promise<Registered>;
  /** A sign of life. */
  heartbeat(caller: NodeCaller, input: Heartbeat): Promise<{ readonly needSync: boolean }>;
  /**
   * Whether a report of so many bytes may come: called before it is read.
   *
   * @throws {Failure} STORE_UNAVAILABLE
   */
  admitUsage(caller: NodeCaller, bytes: number): void;
  /** @throws {Failure} SEQ_GAP, VALIDATION_FAILED */
  usage(caller: NodeCaller, input: UsageBatch): Promise<void>;
  /** @throws {Failure} SEQ_GAP */
  outboundUsage(caller: NodeCaller, input: OutboundUsageBatch): Promise<void>;
  /** The same event is kept once, however often it comes. */
  sessionEvents(caller: NodeCaller, input: { readonly events: readonly SessionEvent[] }): Promise<void>;
  /** What the node is to run. */
  latestConfig(caller: NodeCaller): Promise<ConfigAnswer>;
  /** @throws {Failure} REVISION_AHEAD */
  configApplied(caller: NodeCaller, input: { readonly revision: number }): Promise<void>;
  /** At most one a second is written, of several the latest. */
  nodeError(caller: NodeCaller, input: NodeError): Promise<void>;
  nodeStats(caller: NodeCaller, input: NodeStats): Promise<void>;
  onlineUsers(caller: NodeCaller, input: OnlineReport): Promise<void>;
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
