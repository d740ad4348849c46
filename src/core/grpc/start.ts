/**
 * The gRPC door of Core.
 *
 * @module
 */
import { logVerbosity, type MethodDefinition, Server, type ServerCredentials, setLogVerbosity } from "@grpc/grpc-js";
// What the library wants its bytes in; a Uint8Array is not enough for it.
import { Buffer } from "node:buffer";
import { formatAddress } from "../../address/ip.ts";
import { type ErrorCode, NodePassError } from "../../errors.ts";
import type { Clock, SocketAddress } from "../../runtime/types.ts";
import { Health as HealthService } from "../contract/generated/health_pb.ts";
import type { NodeService } from "../node_calls.ts";
import { Admission } from "./admission.ts";
import { CALL_DEADLINE_MS, type CallDeps, type CallParts, handlerOf } from "./call.ts";
import { credentialsOf, type GrpcTls, renew } from "./credentials.ts";
import { Deadlines } from "./deadlines.ts";
import { Health } from "./health.ts";
import { listenGently } from "./listener.ts";
import { LARGEST_REQUEST, nodeRpcs } from "./rpcs.ts";
import { ShortTurns } from "./short_turns.ts";

const MINUTE_MS = 60_000;

/** Where and what to serve. */
export interface GrpcOptions extends CallDeps {
  /** Literal address; empty: all. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Null: plaintext. */
  readonly tls: GrpcTls | null;
}

/** A door that is open. */
export interface GrpcDoor {
  /** Where it listens. */
  readonly addr: SocketAddress;
  /** Resolves when the last connection is closed. */
  readonly finished: Promise<void>;
  /**
   * Shows another certificate to connections that come from now on; only for a door that opened with TLS.
   *
   * @throws {NodePassError} code `certificate`; the old one stays
   */
  setCertificate(tls: GrpcTls): void;
  /** Lets calls under way end within `graceMs`, then closes everything. Idempotent. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/**
 * Opens the door.
 *
 * @throws {NodePassError} where the port or the certificate cannot be used
 */
export async function startGrpc(parts: CallParts, service: NodeService, options: GrpcOptions): Promise<GrpcDoor> {
  setLogVerbosity(logVerbosity.NONE);
  const server = new Server({
    "grpc.max_receive_message_length": LARGEST_REQUEST,
    "grpc.max_concurrent_streams": 100,
    "grpc.keepalive_time_ms": 20_000,
    "grpc.keepalive_timeout_ms": 5_000,
    // The library spreads it by ten per cent.
    "grpc.max_connection_age_ms": 30 * MINUTE_MS,
    "grpc.max_connection_age_grace_ms": 15_000,
    "grpc.enable_channelz": 0,
  });
  const admission = new Admission(parts.runtime.clock, parts.metrics);
  listenGently(server, admission);
  const health = new Health();
  const rpcs = nodeRpcs(service);
  const deadlines = new Deadlines(parts.runtime.clock, CALL_DEADLINE_MS);
  const turns = new ShortTurns(parts.runtime);
  server.addService(
    Object.fromEntries(rpcs.map(({ name, path }) => [name, methodOf(path, false)])),
    Object.fromEntries(rpcs.map((rpc) => [rpc.name, handlerOf(rpc, parts, options, { deadlines, turns })])),
  );
  const { check, watch } = HealthService.method;
  server.addService(
    {
      check: methodOf(`/${HealthService.typeName}/${check.name}`, false),
      watch: methodOf(`/${HealthService.typeName}/${watch.name}`, true),
    },
    { check: health.check.bind(health), watch: health.watch.bind(health) },
  );
  const credentials = credentialsOf(options.tls);
  const addr = await bind(server, options, credentials);
  return new Door({ server, admission, health, credentials, deadlines, clock: parts.runtime.clock }, addr);
}

/** What a door consists of. */
interface DoorParts {
  readonly server: Server;
  readonly admission: Admission;
  readonly health: Health;
  readonly credentials: ServerCredentials;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
}

class Door implements GrpcDoor {
  readonly addr: SocketAddress;
  readonly finished: Promise<void>;
  readonly #parts: DoorParts;
  readonly #finish: () => void;
  #closing = false;

  constructor(parts: DoorParts, addr: SocketAddress) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.addr = addr;
    this.finished = promise;
    this.#finish = resolve;
    this.#parts = parts;
  }

  setCertificate(tls: GrpcTls): void {
    renew(this.#parts.credentials, tls);
  }

  async close({ graceMs = 10_000 }: { readonly graceMs?: number } = {}): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      const { server, admission, health, deadlines, clock } = this.#parts;
      admission.close();
      health.stop();
      const timer = clock.after(graceMs, () => server.forceShutdown());
      server.tryShutdown(() => {
        timer.cancel();
        deadlines.close();
        this.#finish();
      });
    }
    await this.finished;
  }
}

/** Messages stay bytes in the library: one that cannot be read is the caller's fault, which it would call Core's. */
function methodOf(path: string, responseStream: boolean): MethodDefinition<Uint8Array, Uint8Array> {
  return {
    path,
    requestStream: false,
    responseStream,
    requestSerialize: toBuffer,
    requestDeserialize: (bytes) => bytes,
    responseSerialize: toBuffer,
    responseDeserialize: (bytes) => bytes,
  };
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

async function bind(server: Server, options: GrpcOptions, credentials: ServerCredentials): Promise<SocketAddress> {
  if (options.host !== "") return await bindTo(server, options.host, options.port, credentials);
  try {
    return await bindTo(server, "::", options.port, credentials);
  } catch (error) {
    // A machine without IPv6.
    if (error instanceof NodePassError && error.code === "address_in_use") throw error;
    return await bindTo(server, "0.0.0.0", options.port, credentials);
  }
}

function bindTo(server: Server, host: string, port: number, credentials: ServerCredentials): Promise<SocketAddress> {
  const address = formatAddress({ host, port });
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (cause, bound) => {
      if (cause === null) return resolve({ host, port: bound });
      reject(new NodePassError(codeOf(cause.message), `Cannot bind gRPC to ${address}: ${cause.message}`, { cause }));
    });
  });
}

/** The library keeps the system's error as text alone. */
function codeOf(message: string): ErrorCode {
  if (message.includes("EADDRINUSE")) return "address_in_use";
  if (message.includes("EADDRNOTAVAIL")) return "address_not_available";
  return /EACCES|PermissionDenied|NotCapable/.test(message) ? "permission_denied" : "io";
}
