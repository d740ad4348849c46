/**
 * What a server says in its answer to the handshake.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";

/** How the two ends work together. */
export interface Terms {
  /** `reverse`: visitors come to the server. */
  readonly flow: "reverse" | "forward";
  /** Most links that wait at a time. */
  readonly max: number;
  /** 0 plain, 1 any certificate, 2 a verified one. */
  readonly tls: 0 | 1 | 2;
  /** 0 TCP, 1 QUIC, 2 WebSocket, 3 HTTP/2. */
  readonly type: 0 | 1 | 2 | 3;
}

const MOST_LINKS = 65_536;
const TYPE_NAMES = ["TCP", "QUIC", "WebSocket", "HTTP/2"] as const;

/** The body of the answer, as the Go program writes it. */
export function formatTerms({ flow, max, tls, type }: Terms): string {
  const body = { flow: flow === "reverse" ? "-" : "+", max, tls: String(tls), type: String(type) };
  return `${JSON.stringify(body)}\n`;
}

/**
 * Reads the body of an answer.
 *
 * @throws {NodePassError} `protocol` for anything else, `not_supported` for a type that this program does not have
 */
export function parseTerms(body: string): Terms {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    throw new NodePassError("protocol", `${WHAT}: the body is no JSON`, { cause: error });
  }
  if (typeof value !== "object" || value === null) throw new NodePassError("protocol", `${WHAT}: no JSON object`);
  const { flow, max, tls, type } = value as Readonly<Record<string, unknown>>;
  if (flow !== "-" && flow !== "+") throw badTerm("flow", flow);
  if (typeof max !== "number" || !Number.isSafeInteger(max) || max < 1) throw badTerm("max", max);
  if (tls !== "0" && tls !== "1" && tls !== "2") throw badTerm("tls", tls);
  if (type !== "0" && type !== "1" && type !== "2" && type !== "3") throw badTerm("type", type);
  if (type !== "0") {
    const name = TYPE_NAMES[Number(type)];
    throw new NodePassError(
      "not_supported",
      `Server uses type=${type} (${name}) links, which wire=1.14 does not have here: set type=0 on it`,
    );
  }
  return {
    flow: flow === "-" ? "reverse" : "forward",
    max: Math.min(max, MOST_LINKS),
    tls: tls === "0" ? 0 : tls === "1" ? 1 : 2,
    type: 0,
  };
}

const WHAT = "Cannot understand what the server answered to the handshake";

function badTerm(name: string, value: unknown): NodePassError {
  return new NodePassError("protocol", `${WHAT}: ${name} is ${String(JSON.stringify(value)).slice(0, 64)}`);
}
