/**
 * The figures of a node, asked for right now: one signed request to the one address that it registered.
 *
 * @module
 */
import { formatAddress } from "../../address/ip.ts";
import { NodePassError } from "../../errors.ts";
import { parseJson } from "../contract/json.ts";
import { nodeStatsBody } from "../contract/node_bodies.ts";
import { parseBody } from "../contract/parse.ts";
import type { NodeStats } from "../contract/types.ts";
import { Failure } from "../failure.ts";
import { guardedRequest } from "../outbound/guarded_request.ts";
import type { CoreParts } from "../parts.ts";

const TIMEOUT_MS = 3_000;
const MOST_BYTES = 256 * 1024;
/** How long the token of one request counts. */
const TOKEN_MS = 30_000;

/** The one who is asked. */
export interface LiveNode {
  readonly nodeId: number;
  readonly ip: string;
  readonly port: number;
}

/**
 * Asks.
 *
 * @throws {Failure} ADDRESS_FORBIDDEN, NODE_BAD_REPLY, NODE_UNREACHABLE
 */
export async function fetchLive(
  { runtime: { dns }, settings, secret }: Pick<CoreParts, "runtime" | "settings" | "secret">,
  { nodeId, ip, port }: LiveNode,
): Promise<NodeStats> {
  const url = new URL(`http://${formatAddress({ host: ip, port })}/runtime-status`);
  const token = await secret.signToken(nodeId, TOKEN_MS);
  let body: Uint8Array;
  try {
    const answer = await guardedRequest({
      ...{ method: "GET", url, timeoutMs: TIMEOUT_MS, maxBytes: MOST_BYTES },
      headers: { Authorization: `Bearer ${token}`, Accept: "application/json" },
      allowPrivate: settings.allowPrivateNodes,
    }, dns);
    if (answer.status !== 200) throw badReply(nodeId, `status ${answer.status}`);
    body = answer.body;
  } catch (error) {
    throw failureOf(nodeId, error);
  }
  return read(nodeId, body);
}

function read(nodeId: number, bytes: Uint8Array): NodeStats {
  try {
    const value = parseJson(bytes);
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw badReply(nodeId, "no object");
    const { system, xray, mtproto } = value as Readonly<Record<string, unknown>>;
    return parseBody(nodeStatsBody, {
      ...(system === undefined || system === null ? {} : { system }),
      ...(xray === undefined || xray === null ? {} : { xray }),
      ...(mtproto === undefined || mtproto === null ? {} : { mtprotoJson: JSON.stringify(mtproto) }),
    });
  } catch (error) {
    if (error instanceof Failure && error.failure === "NODE_BAD_REPLY") throw error;
    throw badReply(nodeId, "not the figures of a node", error);
  }
}

function failureOf(nodeId: number, error: unknown): Failure {
  if (error instanceof Failure) return error;
  switch (error instanceof NodePassError ? error.code : "") {
    case "permission_denied":
      return new Failure(
        "ADDRESS_FORBIDDEN",
        `Address of node ${nodeId} may not be dialled: it is private or reserved`,
      );
    case "limit":
      return badReply(nodeId, `longer than ${MOST_BYTES} bytes`, error);
    case "timed_out":
      return new Failure("NODE_UNREACHABLE", `Node ${nodeId} did not answer within ${TIMEOUT_MS} ms`);
    default:
      return new Failure("NODE_UNREACHABLE", `Node ${nodeId} cannot be reached`, { cause: error });
  }
}

function badReply(nodeId: number, what: string, cause?: unknown): Failure {
  return new Failure("NODE_BAD_REPLY", `Answer of node ${nodeId} cannot be used: ${what}`, { cause });
}
