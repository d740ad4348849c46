/**
 * A gRPC door with nothing behind it but notes, and a client for it.
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
import {
  type ChannelCredentials,
  Client,
  credentials,
  Metadata,
  type ServiceError,
  type StatusObject,
} from "@grpc/grpc-js";
// What the library wants its bytes in; a Uint8Array is not enough for it.
import { Buffer } from "node:buffer";
import { formatAddress } from "../../../../src/address/ip.ts";
import { NodeService as Description } from "../../../../src/core/contract/generated/node_service_pb.ts";
import { Failure } from "../../../../src/core/failure.ts";
import type { CallParts } from "../../../../src/core/grpc/call.ts";
import { type GrpcDoor, type GrpcOptions, startGrpc } from "../../../../src/core/grpc/start.ts";
import type { NodeCaller, NodeCredentials, NodeService } from "../../../../src/core/node_calls.ts";
import { readCoreSettings } from "../../../../src/core/settings.ts";
import { silentLogger } from "../../../../src/log/silent.ts";
import { detectRuntime } from "../../../../src/runtime/detect.ts";

/** The key that the door of the fixture takes. */
export const KEY = "nk1.test.key";

/** What came through the door. */
export interface Noted {
  readonly call: keyof NodeService;
  readonly caller: NodeCaller;
  readonly input: unknown;
}

/** An open door. */
export interface DoorFixture {
  readonly door: GrpcDoor;
  readonly noted: Noted[];
  readonly asked: NodeCredentials[];
  /** What the next calls answer instead of their usual answer. */
  fail: ((call: keyof NodeService) => Promise<void>) | null;
  /** Refuses reports of traffic by their length. */
  admit: ((bytes: number) => void) | null;
}

/** A door on a free port of this machine. */
export async function openDoor(
  options: Partial<GrpcOptions> = {},
  env: Record<string, string> = {},
): Promise<DoorFixture> {
  const noted: Noted[] = [];
  const asked: NodeCredentials[] = [];
  const note = (call: keyof NodeService) => async (caller: NodeCaller, input: unknown): Promise<void> => {
    noted.push({ call, caller, input });
    await fixture.fail?.(call);
  };
  const service: NodeService = {
    register: () => Promise.reject(new Failure("JOIN_DENIED", "Not here")),
    heartbeat: async (caller, input) => (await note("heartbeat")(caller, input), { needSync: true }),
    admitUsage: (_caller, bytes) => fixture.admit?.(bytes),
    usage: note("usage"),
    outboundUsage: note("outboundUsage"),
    sessionEvents: note("sessionEvents"),
    latestConfig: async (caller) => {
      await note("latestConfig")(caller, null);
      return {
        revision: 42,
        etag: '"42-0"',
        json: new Uint8Array(),
        gz: new Uint8Array(),
        config: { revision: 42, clientMap: {}, mtprotoClientMap: {}, services: {} },
        clientMapJson: '{"a":1}',
        mtprotoClientMapJson: "{}",
        servicesJson: '{"name":"Grüße"}',
        unchanged: false,
      };
    },
    configApplied: note("configApplied"),
    nodeError: note("nodeError"),
    nodeStats: note("nodeStats"),
    onlineUsers: note("onlineUsers"),
  };
  const parts: CallParts = {
    runtime: await detectRuntime(),
    logger: silentLogger,
    settings: readCoreSettings((name) => env[name]),
    metrics: { count: () => {}, observe: () => {}, gauge: () => {}, text: () => "" },
  };
  const door = await startGrpc(parts, service, {
    host: "127.0.0.1",
    port: 0,
    tls: null,
    intervals: { of: () => ({ heartbeat: 10_000, stats: 2_000, online: 5_000, usage: 60_000 }) },
    auth: {
      authenticate: (credentials) => {
        asked.push(credentials);
        const { keys, ip } = credentials;
        if (keys.length === 0) return Promise.reject(new Failure("AUTH_REQUIRED", "No key"));
        if (keys.some((key) => key !== KEY)) return Promise.reject(new Failure("AUTH_INVALID", "Not this key"));
        return Promise.resolve({ nodeId: 17, keyId: "test", ip, agentServices: [] });
      },
    },
    ...options,
  });
  const fixture: DoorFixture = {
    door,
    noted,
    asked,
    fail: null,
    admit: null,
  };
  return fixture;
}

/** Runs with a door and a client of it, and closes both. */
export async function withDoor(
  run: (fixture: DoorFixture, client: NodeClient) => Promise<void>,
  options: Partial<GrpcOptions> = {},
  env: Record<string, string> = {},
): Promise<void> {
  const fixture = await openDoor(options, env);
  const client = new NodeClient(fixture.door);
  try {
    await run(fixture, client);
  } finally {
    client.close();
    await fixture.door.close({ graceMs: 1_000 });
  }
}

/** How a call ended. */
export interface Ended<T> {
  readonly answer: T | null;
  readonly code: number;
  readonly details: string;
  /** Metadata before the answer. */
  readonly head: Metadata;
  /** Metadata after it. */
  readonly trailers: Metadata;
}

/** The calls of nodes by their names. */
export const methods: typeof Description.method = Description.method;

/** A client of one door. */
export class NodeClient {
  readonly #client: Client;

  constructor({ addr }: GrpcDoor, channel: ChannelCredentials = credentials.createInsecure(), options: object = {}) {
    this.#client = new Client(formatAddress(addr), channel, { "grpc.enable_retries": 0, ...options });
  }

  /** One call; a failure is an end like every other. */
  async call<I extends DescMessage, O extends DescMessage>(
    method: {
      readonly name: string;
      readonly parent: { readonly typeName: string };
      readonly input: I;
      readonly output: O;
    },
    request: MessageInitShape<I>,
    headers: Readonly<Record<string, string | readonly string[]>> = { "x-node-auth-key": KEY },
  ): Promise<Ended<MessageShape<O>>> {
    const bytes = toBinary(method.input, create(method.input, request));
    const ended = await this.raw(`/${method.parent.typeName}/${method.name}`, bytes, headers);
    return { ...ended, answer: ended.answer === null ? null : fromBinary(method.output, ended.answer) };
  }

  /** A call of bytes that may be no message. */
  raw(
    path: string,
    bytes: Uint8Array,
    headers: Readonly<Record<string, string | readonly string[]>> = { "x-node-auth-key": KEY },
  ): Promise<Ended<Uint8Array>> {
    const metadata = new Metadata();
    for (const [name, values] of Object.entries(headers)) {
      for (const value of [values].flat()) metadata.add(name, value);
    }
    return new Promise((resolve) => {
      let head = new Metadata();
      let answer: Uint8Array | null = null;
      const deadline = Date.now() + 15_000;
      const call = this.#client.makeUnaryRequest(
        path,
        (value: Uint8Array) => Buffer.from(value),
        (value: Buffer) => new Uint8Array(value),
        bytes,
        metadata,
        { deadline },
        (_: ServiceError | null, value?: Uint8Array) => answer = value ?? null,
      );
      call.on("metadata", (received: Metadata) => head = received);
      call.on("status", ({ code, details, metadata: trailers }: StatusObject) => {
        // The answer comes right after the status.
        queueMicrotask(() => resolve({ answer, code, details, head, trailers }));
      });
    });
  }

  /** Ends its connection. */
  close(): void {
    this.#client.close();
  }
}
