/**
 * The calls of an agent over gRPC; what has no method there goes over HTTP.
 *
 * @module
 */
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
// What the library wants its bytes in; a Uint8Array is not enough for it.
import { Buffer } from "node:buffer";
import { NodeService } from "../../src/core/contract/generated/node_service_pb.ts";
import type { NodeConfig, SystemStats } from "../../src/core/contract/types.ts";
import {
  DEFAULT_PACE,
  Lost,
  type NodeDoor,
  type OnlineItem,
  type OutboundItem,
  type Pace,
  type Place,
  readPace,
  Refused,
  type SessionItem,
  type UsageItem,
} from "./door.ts";
import { HttpDoor, placeHeaders } from "./http_door.ts";

const { method } = NodeService;
const CALL_MS = 15_000;
/** A configuration of ten thousand users is longer than the library takes by itself. */
const LARGEST_REPLY = 64 * 1024 * 1024;

/** One connection, which several agents may share. */
export function grpcClient(port: number, options: object = {}): Client {
  return new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    "grpc.enable_retries": 0,
    "grpc.max_receive_message_length": LARGEST_REPLY,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.min_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1_000,
    // Connections of the same process to the same place are connections of their own.
    "grpc.use_local_subchannel_pool": 1,
    ...options,
  });
}

/** See the module. */
export class GrpcDoor implements NodeDoor {
  pace: Pace = DEFAULT_PACE;
  readonly #client: Client;
  readonly #key: string;
  readonly #http: HttpDoor;

  constructor(client: Client, base: string, key: string) {
    this.#client = client;
    this.#key = key;
    this.#http = new HttpDoor(base, key);
  }

  async heartbeat(revision: number | null, hash: string | null): Promise<{ readonly needSync: boolean }> {
    const request = revision === null ? {} : { revision: BigInt(revision) };
    return await this.call(method.heartbeat, request, hash === null ? {} : { "x-config-hash": hash });
  }

  async usage(place: Place | null, entries: readonly UsageItem[]): Promise<void> {
    const messages = entries.map(({ subscriptionId, ...entry }) => ({
      userId: BigInt(entry.userId),
      ...(subscriptionId === null ? {} : { subscriptionId: BigInt(subscriptionId) }),
      nodeProtocolId: BigInt(entry.nodeProtocolId),
      bytesUp: BigInt(entry.bytesUp),
      bytesDown: BigInt(entry.bytesDown),
      recordedAt: entry.recordedAt,
    }));
    await this.call(method.reportUsage, { entries: messages }, placeHeaders(place));
  }

  async outboundUsage(place: Place | null, items: readonly OutboundItem[]): Promise<void> {
    const messages = items.map(({ tag, bytesUp, bytesDown }) => ({
      tag,
      bytesUp: BigInt(bytesUp),
      bytesDown: BigInt(bytesDown),
    }));
    await this.call(method.reportOutboundUsage, { items: messages }, placeHeaders(place));
  }

  async latestConfig(): Promise<NodeConfig> {
    const answer = await this.call(method.getLatestConfig, {});
    return {
      revision: Number(answer.revision),
      clientMap: JSON.parse(answer.clientMapJson),
      mtprotoClientMap: JSON.parse(answer.mtprotoClientMapJson),
      services: JSON.parse(answer.servicesJson),
    };
  }

  async configApplied(revision: number): Promise<void> {
    await this.call(method.confirmConfigApplied, { revision: BigInt(revision) });
  }

  async nodeStats(system: SystemStats): Promise<void> {
    const { cpuPercent, cpuCores, ...counts } = system;
    const whole = Object.fromEntries(Object.entries(counts).map(([name, value]) => [name, BigInt(value)]));
    await this.call(method.reportNodeStats, {
      system: { ...whole, cpuPercent, cpuCores },
      xray: { running: true },
      mtprotoJson: "",
    });
  }

  async onlineUsers(users: readonly OnlineItem[]): Promise<void> {
    const messages = users.map(({ userId, nodeProtocolId, ips }) => ({
      userId: BigInt(userId),
      nodeProtocolId: BigInt(nodeProtocolId),
      ips: [...ips],
    }));
    await this.call(method.reportOnlineUsers, { users: messages });
  }

  sessionEvents(events: readonly SessionItem[]): Promise<void> {
    return this.#http.sessionEvents(events);
  }

  nodeError(message: string, code: string, details: Readonly<Record<string, unknown>>): Promise<void> {
    return this.#http.nodeError(message, code, details);
  }

  /** The connection belongs to whoever made it. */
  close(): void {}

  /** Any call, with headers of its own. */
  call<I extends DescMessage, O extends DescMessage>(
    { name, parent, input, output }: {
      readonly name: string;
      readonly parent: { readonly typeName: string };
      readonly input: I;
      readonly output: O;
    },
    request: MessageInitShape<I>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<MessageShape<O>> {
    const bytes = toBinary(input, create(input, request));
    const metadata = new Metadata();
    metadata.set("x-node-auth-key", this.#key);
    for (const [header, value] of Object.entries(headers)) metadata.set(header, value);
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        `/${parent.typeName}/${name}`,
        (value: Uint8Array) => Buffer.from(value),
        (value: Buffer) => value,
        bytes,
        metadata,
        { deadline: Date.now() + CALL_MS },
        (error: ServiceError | null, value?: Buffer) => {
          if (error !== null || value === undefined) reject(failureOf(error));
          else resolve(fromBinary(output, new Uint8Array(value)));
        },
      );
      call.on("metadata", (head: Metadata) => {
        this.pace = readPace(head.get("x-core-intervals")[0]?.toString(), this.pace);
      });
    });
  }
}

function failureOf(error: ServiceError | null): Error {
  if (error === null) return new Lost("no answer");
  const text = (name: string): string | null => error.metadata?.get(name)[0]?.toString() ?? null;
  const code = text("x-error-code");
  if (code === null) return new Lost(`${status[error.code]}: ${error.details}`);
  return new Refused(code, error.code, error.details, text("x-report-next"), Number(text("retry-after-ms") ?? 1_000));
}
