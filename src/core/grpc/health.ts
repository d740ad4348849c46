/**
 * `grpc.health.v1.Health`: whether this Core takes calls.
 *
 * @module
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type sendUnaryData, type ServerUnaryCall, type ServerWritableStream, status as Status } from "@grpc/grpc-js";
import { HealthCheckRequestSchema, HealthCheckResponseSchema } from "../contract/generated/health_pb.ts";
import { NodeService } from "../contract/generated/node_service_pb.ts";

const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;

/** Those who watch at the same time: each holds a stream. */
const MOST_WATCHERS = 1_000;

type Watcher = ServerWritableStream<Uint8Array, Uint8Array>;

/** The state, and who wants to know. */
export class Health {
  #serving = true;
  readonly #watchers = new Set<Watcher>();

  /** One answer. */
  check(call: ServerUnaryCall<Uint8Array, Uint8Array>, done: sendUnaryData<Uint8Array>): void {
    const state = this.#stateOf(call.request);
    if (state === SERVICE_UNKNOWN) done({ code: Status.NOT_FOUND, details: "No such service" });
    else if (state === null) done({ code: Status.INVALID_ARGUMENT, details: "expected a message HealthCheckRequest" });
    else done(null, answer(state));
  }

  /** The state now, and each other one later. */
  watch(call: Watcher): void {
    const state = this.#stateOf(call.request);
    if (state === null || this.#watchers.size >= MOST_WATCHERS) {
      const code = state === null ? Status.INVALID_ARGUMENT : Status.RESOURCE_EXHAUSTED;
      call.emit("error", {
        code,
        details: state === null ? "expected a message HealthCheckRequest" : "Too many watchers",
      });
      return;
    }
    call.write(answer(state));
    if (!this.#serving) return void call.end();
    this.#watchers.add(call);
    call.on("cancelled", () => this.#watchers.delete(call));
  }

  /** Says that no more calls are taken, and lets the watchers go. */
  stop(): void {
    this.#serving = false;
    for (const call of this.#watchers) {
      call.write(answer(NOT_SERVING));
      call.end();
    }
    this.#watchers.clear();
  }

  /** Null: the request is no message. */
  #stateOf(request: Uint8Array): number | null {
    try {
      const { service } = fromBinary(HealthCheckRequestSchema, request);
      if (service !== "" && service !== NodeService.typeName) return SERVICE_UNKNOWN;
    } catch {
      return null;
    }
    return this.#serving ? SERVING : NOT_SERVING;
  }
}

function answer(status: number): Uint8Array {
  return toBinary(HealthCheckResponseSchema, create(HealthCheckResponseSchema, { status }));
}
