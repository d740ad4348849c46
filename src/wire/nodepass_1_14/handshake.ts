/**
 * The handshake: one HTTP request with the token, one answer with the terms, on a connection of its own.
 *
 * @module
 */
import { messageOf, NodePassError } from "../../errors.ts";
import type { Clock, Conn } from "../../runtime/types.ts";
import { writeExact } from "../secure/exact_io.ts";
import { foreignCaller, isSecureWire, isTls, webSocketCaller } from "./foreign_caller.ts";
import { MessageEnd, type MessageHead, MessageReader } from "./http_message.ts";
import { formatTerms, parseTerms, type Terms } from "./terms.ts";
import { withinTime } from "./time_limit.ts";
import { tokensEqual } from "./token.ts";

export type { Terms } from "./terms.ts";

/** Options of {@linkcode askTerms}. */
export interface AskOptions {
  /** `Host:` of the request. */
  readonly host: string;
  readonly token: string;
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, "after">;
}

/** Options of {@linkcode answerHandshake}. */
export interface AnswerOptions {
  readonly token: string;
  readonly terms: Terms;
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, "after" | "wall">;
  /**
   * Asked once the token was found right, before the answer is written: the caller's next connections may come before it
   * is. False: nothing is answered.
   *
   * @default always true
   */
  readonly accept?: () => boolean;
}

/** Why a caller was not accepted. */
export interface HandshakeRefusal {
  /** The status that was answered; null when another protocol, or nothing whole, arrived. */
  readonly status: 400 | 401 | 404 | 405 | null;
  /** For the log: `wrong_key`, `wire_mismatch`, `protocol`, `timed_out`, `connection_reset`. */
  readonly error: NodePassError;
}

const MAX_REQUEST_BYTES = 8 * 1024;
const MAX_ANSWER_BYTES = 16 * 1024;
/** How long, and for how many bytes, a caller is listened to after it was refused, so that it can read why. */
const LINGER_MS = 1_000;
const MAX_LINGER_BYTES = 64 * 1024;
const REASONS = { 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed" } as const;
const CHECK = "check the port, that a Go NodePass or wire=1.14 is behind it, and that it serves no other client";

/**
 * Client: asks for the terms and closes the connection.
 *
 * @throws {NodePassError} `wrong_key`, `wire_mismatch`, `not_supported`, `timed_out` or `protocol`
 */
export async function askTerms(conn: Conn, options: AskOptions): Promise<Terms> {
  const { clock, timeoutMs } = options;
  const message = `Server did not answer the handshake in time: ${CHECK}`;
  try {
    return await withinTime({ conn, clock, timeoutMs, message }, () => ask(conn, options));
  } finally {
    conn.close();
  }
}

async function ask(conn: Conn, { host, token }: AskOptions): Promise<Terms> {
  const request = `GET / HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: nodepass\r\nAuthorization: Bearer ${token}\r\n` +
    "Connection: close\r\n\r\n";
  try {
    await writeExact(conn, new TextEncoder().encode(request));
    const reader = new MessageReader(conn, MAX_ANSWER_BYTES, checkAnswer);
    const head = await reader.head();
    const [, status, reason = ""] = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/.exec(head.start) ?? [];
    if (status === undefined) throw notHttp();
    if (status === "401") throw new NodePassError("wrong_key", "Server refused the key: set the same key on both ends");
    if (status !== "200") {
      const answer = `${status} ${reason.slice(0, 64)}`.trim();
      throw new NodePassError("wire_mismatch", `Server answered the handshake with "${answer}": ${CHECK}`);
    }
    return parseTerms(await reader.body(head));
  } catch (error) {
    if (error instanceof NodePassError) throw error;
    const cut = error instanceof MessageEnd && !error.empty ? "in the middle of its answer" : "without an answer";
    const message = `Server closed the connection ${cut} to the handshake: ${CHECK}`;
    throw new NodePassError("wire_mismatch", message, { cause: error });
  }
}

/** Ends the reading of what cannot become an answer. */
function checkAnswer(start: Uint8Array): void {
  if (isTls(start)) {
    throw new NodePassError("wire_mismatch", `Server answered the handshake with TLS: ${CHECK}`);
  }
  const text = String.fromCharCode(...start.subarray(0, 5));
  if (!"HTTP/".startsWith(text)) throw notHttp();
}

function notHttp(): NodePassError {
  return new NodePassError("wire_mismatch", `Server did not answer the handshake with HTTP: ${CHECK}`);
}

/** Server: answers one caller and closes the connection. Never rejects. */
export async function answerHandshake(conn: Conn, options: AnswerOptions): Promise<"accepted" | HandshakeRefusal> {
  const { clock, timeoutMs } = options;
  const message = `Caller sent no whole handshake within ${timeoutMs} ms`;
  try {
    const refusal = await withinTime({ conn, clock, timeoutMs, message }, () => answer(conn, options));
    if (refusal !== null && refusal.status !== null) await linger(conn, clock);
    return refusal ?? "accepted";
  } catch (error) {
    if (error instanceof NodePassError) return { status: null, error };
    const reason = error instanceof MessageEnd ? "it hung up before its request was whole" : messageOf(error);
    return {
      status: null,
      error: new NodePassError("connection_reset", `Cannot answer the caller: ${reason}`, { cause: error }),
    };
  } finally {
    conn.close();
  }
}

/** Null: accepted, and told so. */
async function answer(conn: Conn, { token, terms, clock, accept }: AnswerOptions): Promise<HandshakeRefusal | null> {
  let silent = false;
  const reader = new MessageReader(conn, MAX_REQUEST_BYTES, (start) => {
    const foreign = foreignCaller(start);
    // A client of wire=secure knows an HTTP answer when it sees one, and can say which wire to set.
    silent = foreign !== null && !isSecureWire(start);
    if (foreign !== null) throw foreign;
    // No request begins with anything but a capital letter; waiting for the end of its line would be in vain.
    if (!/[A-Z]/.test(String.fromCharCode(start[0]!))) throw new NodePassError("protocol", "Caller sent no request");
  });
  let method = "GET";
  let refusal: HandshakeRefusal | null;
  try {
    const head = await reader.head();
    method = head.start.split(" ", 1)[0] ?? "";
    refusal = judge(head, token);
  } catch (error) {
    if (silent || !(error instanceof NodePassError)) throw error;
    refusal = { status: 400, error };
  }
  if (refusal === null && accept?.() === false) {
    return { status: null, error: new NodePassError("closed", "Another client is served") };
  }
  const status = refusal?.status ?? null;
  const [start, type, body] = status === null
    ? ["200 OK", "application/json", formatTerms(terms)]
    : [`${status} ${REASONS[status]}`, "text/plain; charset=utf-8", `${REASONS[status]}\n`];
  const date = new Date(clock.wall()).toUTCString();
  const head = `HTTP/1.1 ${start}\r\nConnection: close\r\nContent-Type: ${type}\r\nDate: ${date}\r\n` +
    `Content-Length: ${body.length}\r\n\r\n`;
  await writeExact(conn, new TextEncoder().encode(method === "HEAD" ? head : head + body));
  // Who has read all of it may be gone already.
  await conn.closeWrite().catch(() => {});
  return refusal;
}

/** In the Go program's order. */
function judge({ start, headers }: MessageHead, token: string): HandshakeRefusal | null {
  const [, method, target] = /^([A-Z]+) (\S+) HTTP\/1\.[01]$/.exec(start) ?? [];
  if (method === undefined || target === undefined) return refuse(400, "protocol", "Caller sent no request");
  const foreign = headers.get("upgrade")?.toLowerCase() === "websocket" ? webSocketCaller() : null;
  if (method !== "GET") return refuse(405, "protocol", `Caller used method ${method.slice(0, 16)}`);
  if (target.split("?", 1)[0] !== "/") {
    return foreign === null
      ? refuse(404, "protocol", "Caller asked for another path")
      : { status: 404, error: foreign };
  }
  const given = /^Bearer (.*)$/.exec(headers.get("authorization") ?? "")?.[1];
  if (given !== undefined && tokensEqual(token, given)) return null;
  if (foreign !== null) return { status: 401, error: foreign };
  return given === undefined
    ? refuse(401, "wrong_key", "Caller sent no token")
    : refuse(401, "wrong_key", "Caller has another key: set the same key on both ends");
}

function refuse(
  status: 400 | 401 | 404 | 405,
  code: "protocol" | "wrong_key",
  message: string,
): HandshakeRefusal {
  return { status, error: new NodePassError(code, message) };
}

/** A connection that is closed over unread bytes is reset, and the answer lost. */
async function linger(conn: Conn, clock: Pick<Clock, "after">): Promise<void> {
  const room = new Uint8Array(4 * 1024);
  let left = MAX_LINGER_BYTES;
  try {
    await withinTime({ conn, clock, timeoutMs: LINGER_MS, message: "" }, async () => {
      for (let count: number | null = 0; count !== null && left > 0; left -= count ?? 0) count = await conn.read(room);
    });
  } catch {
    // Whatever it is, the connection is closed next.
  }
}
