/**
 * The calls of a node as gRPC has them: bytes in, bytes out.
 *
 * @module
 */
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { NodeService as Description, OkResponseSchema } from "../contract/generated/node_service_pb.ts";
import { type HeaderOf, readConfigHash, readPlace } from "../contract/headers.ts";
import * as bodies from "../contract/node_bodies.ts";
import { parseBody } from "../contract/parse.ts";
import { Failure } from "../failure.ts";
import type { NodeCaller, NodeService } from "../node_calls.ts";
import { type MessageValue, readMessage } from "./read_message.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** One call. */
export interface Rpc {
  /** `/nodeservice.NodeService/Heartbeat` */
  readonly path: string;
  /** The last part of it. */
  readonly name: string;
  /** Bytes that a request may have. */
  readonly limit: number;
  readonly access: "heartbeat" | "full";
  /** @throws {Failure} */
  readonly run: (caller: NodeCaller, request: Uint8Array, header: HeaderOf) => Promise<Uint8Array>;
}

/** All calls of nodes. */
export function nodeRpcs(service: NodeService): readonly Rpc[] {
  const { method } = Description;
  const ok = toBinary(OkResponseSchema, create(OkResponseSchema, { ok: true }));
  return [
    rpc(method.heartbeat, 4 * KIB, async (caller, value, header) => {
      const body = parseBody(bodies.heartbeatBody, value);
      const { needSync } = await service.heartbeat(caller, { ...body, configHash: readConfigHash(header) });
      return { ok: true, needSync };
    }, { access: "heartbeat" }),
    rpc(method.reportUsage, 8 * MIB, async (caller, value, header) => {
      const place = readPlace(header);
      await service.usage(caller, { ...place, ...parseBody(bodies.usageBody, value) });
      return ok;
    }, { admit: (caller, bytes) => service.admitUsage(caller, bytes) }),
    rpc(method.reportOutboundUsage, MIB, async (caller, value, header) => {
      const place = readPlace(header);
      const { items } = parseBody(bodies.outboundUsageBody, value);
      await service.outboundUsage(caller, { ...place, items });
      return ok;
    }),
    rpc(method.getLatestConfig, 4 * KIB, async (caller) => {
      const { revision, clientMapJson, mtprotoClientMapJson, servicesJson } = await service.latestConfig(caller);
      return { revision: BigInt(revision), clientMapJson, mtprotoClientMapJson, servicesJson };
    }),
    rpc(method.confirmConfigApplied, 4 * KIB, async (caller, value) => {
      await service.configApplied(caller, parseBody(bodies.configAppliedBody, value));
      return ok;
    }),
    rpc(method.reportNodeStats, 256 * KIB, async (caller, value) => {
      await service.nodeStats(caller, parseBody(bodies.nodeStatsBody, value));
      return ok;
    }),
    rpc(method.reportOnlineUsers, 8 * MIB, async (caller, value) => {
      await service.onlineUsers(caller, parseBody(bodies.onlineUsersBody, value));
      return ok;
    }),
  ];
}

/** The largest request of all: more is not even received. */
export const LARGEST_REQUEST: number = 8 * MIB;

interface Method<O extends DescMessage> {
  readonly name: string;
  readonly parent: { readonly typeName: string };
  readonly input: DescMessage;
  readonly output: O;
}

function rpc<O extends DescMessage>(
  { name, parent, input, output }: Method<O>,
  limit: number,
  run: (caller: NodeCaller, value: MessageValue, header: HeaderOf) => Promise<MessageInitShape<O> | Uint8Array>,
  { access = "full", admit = () => {} }: {
    readonly access?: Rpc["access"];
    /** Refuses a request before it is read. */
    readonly admit?: (caller: NodeCaller, bytes: number) => void;
  } = {},
): Rpc {
  return {
    path: `/${parent.typeName}/${name}`,
    name,
    limit,
    access,
    run: async (caller, request, header) => {
      admit(caller, request.length);
      const answer = await run(caller, valueOf(input, request), header);
      return answer instanceof Uint8Array ? answer : toBinary(output, create(output, answer));
    },
  };
}

function valueOf(schema: DescMessage, bytes: Uint8Array): MessageValue {
  try {
    return readMessage(schema, bytes);
  } catch {
    const message = `expected a message ${schema.typeName}`;
    throw new Failure("VALIDATION_FAILED", message, { issues: [{ path: "", message }] });
  }
}
