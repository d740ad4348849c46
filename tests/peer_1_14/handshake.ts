/**
 * The handshake over HTTP, from both sides, as Go's HTTP library writes and reads it.
 *
 * @module
 */
import type net from "node:net";
import { type PeerTerms, tokenOf } from "./dialect.ts";
import { readThrough, readToEnd } from "./sockets.ts";

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  401: "Unauthorized",
  404: "Not Found",
  405: "Method Not Allowed",
};

const REQUEST_LINE = /^([A-Z]+) (\S+) HTTP\/1\.[01]$/;

/** The request of a client. */
export function requestText(key: string, options: { readonly host?: string; readonly token?: string } = {}): string {
  const { host = "none", token = tokenOf(key) } = options;
  return `GET / HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: Go-http-client/1.1\r\n` +
    `Authorization: Bearer ${token}\r\nAccept-Encoding: gzip\r\n\r\n`;
}

/** The answer of a server that accepts. */
export function acceptanceText(terms: PeerTerms): string {
  const { flow, max, tls, type } = terms;
  return answerText(200, "application/json", `${JSON.stringify({ flow, max, tls, type })}\n`);
}

function answerText(status: number, type: string, body: string): string {
  const sniff = status === 200 ? "" : "X-Content-Type-Options: nosniff\r\n";
  return `HTTP/1.1 ${status} ${REASONS[status]}\r\nConnection: close\r\nContent-Type: ${type}\r\n${sniff}` +
    `Date: ${new Date().toUTCString()}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** What a server decides about a request. */
export interface Decision {
  readonly status: number;
  readonly request: string;
}

/** Reads one request and answers it; status 0 when it was none. Ends the connection. */
export async function answerRequest(socket: net.Socket, key: string, terms: PeerTerms, ms = 5_000): Promise<Decision> {
  // Go judges the first line before it reads on.
  const over = (text: string): boolean => /^[^\n]*\n/.test(text) && !REQUEST_LINE.test(text.split(/\r?\n/, 1)[0]!);
  const request = await readThrough(socket, "\r\n\r\n", { limit: 65_536, ms, over });
  if (request === null) return { status: 0, request: "" };
  const status = judge(request, key);
  socket.end(
    status === 200 ? acceptanceText(terms) : answerText(status, "text/plain; charset=utf-8", `${REASONS[status]}\n`),
  );
  socket.resume();
  return { status, request };
}

/** As strict as Go's server: one Host, whole lines, the token as it is. */
function judge(request: string, key: string): number {
  const [first = "", ...lines] = request.split("\r\n\r\n", 1)[0]!.split("\r\n");
  const [, method, path] = REQUEST_LINE.exec(first) ?? [];
  const headers = lines.map((line) => /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line));
  if (method === undefined || headers.includes(null)) return 400;
  const all = (name: string): string[] =>
    headers.filter((header) => header![1]!.toLowerCase() === name).map((header) => header![2]!);
  if (all("host").length !== 1 || /[\s/@]/.test(all("host")[0]!)) return 400;
  if (method !== "GET") return 405;
  if (path !== "/") return 404;
  const [authorization] = all("authorization");
  return authorization === `Bearer ${tokenOf(key)}` ? 200 : 401;
}

/** Asks for the terms; throws what a Go client would log. Ends the connection. */
export async function askForTerms(socket: net.Socket, request: string, ms = 5_000): Promise<PeerTerms> {
  socket.write(request);
  try {
    // Go waits for the head and the announced length; the server closes behind it.
    const answer = await readToEnd(socket, ms);
    const [head = "", body = ""] = splitOnce(answer, "\r\n\r\n");
    const status = Number(/^HTTP\/1\.[01] (\d{3}) /.exec(head)?.[1]);
    if (Number.isNaN(status)) throw new Error(`Malformed HTTP response ${JSON.stringify(answer.slice(0, 20))}`);
    if (status !== 200) throw new Error(`Server answered ${status}: ${body.trim()}`);
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1]);
    if (!Number.isNaN(length) && length !== body.length) throw new Error(`${body.length} of ${length} bytes came`);
    return readTerms(body);
  } finally {
    socket.destroy();
  }
}

/** As strict as Go's decoder: each member has its type. */
function readTerms(body: string): PeerTerms {
  const { flow, max, tls, type } = JSON.parse(body) as Record<string, unknown>;
  const whole = (flow === "-" || flow === "+") && Number.isInteger(max) &&
    (tls === "0" || tls === "1" || tls === "2") &&
    typeof type === "string";
  if (!whole) throw new Error(`Terms cannot be decoded: ${body.trim()}`);
  return { flow, max: max as number, tls, type };
}

function splitOnce(text: string, mark: string): string[] {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + mark.length)];
}
