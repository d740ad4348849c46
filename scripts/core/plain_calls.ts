/**
 * Calls of nodes as plain HTTP/2 streams with messages that are made beforehand: thousands of agents in one process cost
 * less than Core does.
 *
 * @module
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { type ClientHttp2Session, constants, type IncomingHttpHeaders } from "node:http2";
import { joinBytes } from "../../src/bytes/join.ts";
import { ReportNodeStatsRequestSchema } from "../../src/core/contract/generated/node_service_pb.ts";

/** How a call ended. */
export interface PlainAnswer {
  /** "" when it succeeded, else what went wrong. */
  readonly error: string;
  /** The message, without its frame. */
  readonly message: Uint8Array;
  /** The header `x-core-intervals`. */
  readonly intervals: string | undefined;
}

/** Bytes before a message: whether it is compressed, and its length. */
const FRAME = 5;

/** A message as it travels. */
export function framed(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(FRAME + message.length);
  new DataView(frame.buffer).setUint32(1, message.length);
  frame.set(message, FRAME);
  return frame;
}

/** A message without a field. */
export const EMPTY: Uint8Array = framed(new Uint8Array());

/** The figures of a node. */
export const STATS: Uint8Array = framed(toBinary(
  ReportNodeStatsRequestSchema,
  create(ReportNodeStatsRequestSchema, {
    system: {
      ...{ uptimeSeconds: 86_400n, cpuPercent: 12.5, cpuCores: 2, ramUsed: 500_000_000n, ramTotal: 2_000_000_000n },
      ...{ diskUsed: 5_000_000_000n, diskTotal: 20_000_000_000n, netRxPerSec: 1_000_000n, netTxPerSec: 1_000_000n },
      ...{ netRxTotal: 1_000_000_000_000n, netTxTotal: 1_000_000_000_000n },
    },
    xray: { running: true, uptimeSeconds: 3_600n },
  }),
));

/** One call; `done` comes once, however it ends: a deadline is one of the ways. */
export function plainCall(
  session: ClientHttp2Session,
  method: string,
  { key, body, headers = {}, deadlineMs = 0 }: {
    readonly key: string;
    readonly body: Uint8Array;
    /** @default none */
    readonly deadlineMs?: number;
    readonly headers?: Readonly<Record<string, string>>;
  },
  done: (answer: PlainAnswer) => void,
): void {
  const stream = session.request({
    ":method": "POST",
    ":path": `/nodeservice.NodeService/${method}`,
    "content-type": "application/grpc",
    te: "trailers",
    "x-node-auth-key": key,
    ...headers,
  });
  let error = "none";
  let intervals: string | undefined;
  const chunks: Uint8Array[] = [];
  let length = 0;
  const look = (fields: IncomingHttpHeaders): void => {
    intervals ??= fields["x-core-intervals"]?.toString();
    const code = fields["grpc-status"];
    if (code !== undefined) error = code === "0" ? "" : `${method} ${code} ${fields["grpc-message"] ?? ""}`;
  };
  stream.on("response", look);
  stream.on("trailers", look);
  stream.on("error", ({ message }) => error = `${method} ${message}`);
  stream.on("data", (chunk: Uint8Array) => {
    chunks.push(chunk);
    length += chunk.length;
  });
  const deadline = deadlineMs === 0 ? undefined : setTimeout(() => {
    error = `${method} deadline`;
    stream.close(constants.NGHTTP2_CANCEL);
  }, deadlineMs);
  stream.on("close", () => {
    clearTimeout(deadline);
    done({ error, message: joinBytes(chunks, length).subarray(FRAME), intervals });
  });
  stream.end(body);
}
