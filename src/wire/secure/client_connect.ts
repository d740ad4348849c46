/**
 * How a client opens its control channel and its links.
 *
 * The server decides how its port is protected, so a client that was told nothing tries the certificate of the key,
 * then the real name, then plain, which counts only when the server proves that its own configuration says so.
 *
 * @module
 */
import { formatAddress } from "../../address/ip.ts";
import { joinBytes } from "../../bytes/join.ts";
import { type ErrorCode, NodePassError } from "../../errors.ts";
import type { Logger } from "../../log/types.ts";
import type { Conn } from "../../runtime/types.ts";
import type { Agreement, ResumeTicket, ServerTls } from "./agreement.ts";
import { clientHandshake } from "./client_handshake.ts";
import { diagnose, type FailedAttempt } from "./diagnosis.ts";
import { readExact, writeExact } from "./exact_io.ts";
import { encodePing, encodePong } from "./frames.ts";
import { encodePreface, type Preface } from "./preface.ts";
import type { ProvenMode, TlsPin } from "./proven_mode.ts";
import type { RootSecret } from "./root_secret.ts";
import { reach, reachForControl, type ServerRoute } from "./server_route.ts";

/** Options of {@linkcode connectControl}. */
export interface ConnectControlOptions extends ServerRoute {
  readonly logger: Logger;
  readonly root: RootSecret;
  /** What the client's URL says about TLS. */
  readonly pin: TlsPin;
  /** What this process already proved about this server: one for all attempts. */
  readonly proven: ProvenMode;
  /** From the last agreement with this server. */
  readonly resume: ResumeTicket | null;
}

/** A control channel: frames follow on `conn`. */
export interface ControlConnection {
  readonly conn: Conn;
  readonly agreement: Agreement;
  /** For {@linkcode connectLink}. */
  readonly mode: ServerTls;
}

/** Options of {@linkcode connectLink}. */
export interface ConnectLinkOptions extends ServerRoute {
  /** The mode of the control channel. */
  readonly mode: ServerTls;
  readonly agreement: Pick<Agreement, "clientId" | "linkKey">;
  readonly kind: Preface["kind"];
  /** Never used before with this agreement. */
  readonly counter: number;
  /**
   * Wait until the server has taken the link: needed where visitors' bytes are the next thing on it, because a server
   * that is behind pushes out openings it has not read, and those bytes would be lost with them.
   *
   * @default false
   */
  readonly confirm?: boolean;
}

/**
 * Connects to the server and completes the handshake in the first mode that works.
 *
 * @throws {NodePassError} says what to do; every connection it made is closed then
 */
export async function connectControl(options: ConnectControlOptions): Promise<ControlConnection> {
  const failed: FailedAttempt[] = [];
  for (const mode of options.proven.candidates(options.pin)) {
    // Who shows a certificate speaks TLS and nothing else on this port.
    if (mode === "plain" && failed.some(({ error }) => error.code === "certificate")) break;
    try {
      const connection = await attempt(mode, options);
      if (options.proven.prove(mode) && mode === "plain") warnOfPlain(options);
      return connection;
    } catch (error) {
      const failure = options.runtime.toError(error);
      failed.push({ mode, error: failure });
      if (isFinal(mode, failure)) break;
    }
  }
  throw atAddress(options, await diagnose(options, failed));
}

/**
 * Opens one link: connects in the proven mode and sends the preface in one write. Frames may follow at once.
 *
 * @throws {NodePassError} when the server cannot be reached in this mode
 */
export async function connectLink(options: ConnectLinkOptions): Promise<Conn> {
  const { agreement, kind, counter } = options;
  const preface = await encodePreface(agreement.linkKey, { kind, clientId: agreement.clientId, counter });
  const conn = await reach(options, options.mode);
  try {
    await withDeadline(
      conn,
      options,
      options.confirm === true ? openConfirmed(conn, preface) : writeExact(conn, preface),
    );
    return conn;
  } catch (error) {
    conn.close();
    throw options.runtime.toError(error, `Cannot open a link to ${formatAddress(options)}`);
  }
}

/** The server speaks first on no link that takes visitors here, so what comes back is the answer. */
async function openConfirmed(conn: Conn, preface: Uint8Array): Promise<void> {
  const ping = encodePing(0);
  const pong = encodePong(0);
  await writeExact(conn, joinBytes([preface, ping], preface.length + ping.length));
  const answer = new Uint8Array(pong.length);
  await readExact(conn, answer);
  if (answer.some((byte, at) => byte !== pong[at])) {
    throw new NodePassError("protocol", "Server answered a new link with something other than PONG");
  }
}

async function attempt(mode: ServerTls, options: ConnectControlOptions): Promise<ControlConnection> {
  const { runtime, root, transport, resume } = options;
  const { conn, leafSha256 } = await reachForControl(options, mode);
  try {
    const handshake = clientHandshake(conn, { root, random: runtime.random, transport, tls: mode, leafSha256, resume });
    return { conn, agreement: await withDeadline(conn, options, handshake), mode };
  } catch (error) {
    conn.close();
    throw error;
  }
}

/** Closes `conn`, which ends `work`, when the time is over or the caller gives up. */
async function withDeadline<T>(conn: Conn, route: ServerRoute, work: Promise<T>): Promise<T> {
  const { signal, timeoutMs, runtime } = route;
  let end: NodePassError | null = null;
  const giveUp = (error: NodePassError): void => {
    end ??= error;
    conn.close();
  };
  const cancel = (): void => giveUp(new NodePassError("closed", "Connecting was cancelled", { cause: signal?.reason }));
  const timer = runtime.clock.after(
    timeoutMs,
    () =>
      giveUp(new NodePassError("timed_out", `Server did not answer within ${timeoutMs} ms: is it a NodePass server`)),
  );
  signal?.addEventListener("abort", cancel);
  if (signal?.aborted) cancel();
  try {
    return await work;
  } catch (error) {
    throw end ?? error;
  } finally {
    timer.cancel();
    signal?.removeEventListener("abort", cancel);
  }
}

/** Whether no other mode can do better. */
function isFinal(mode: ServerTls, { code }: NodePassError): boolean {
  switch (code) {
    case "certificate":
    case "protocol":
    case "connection_reset":
    case "closed":
    case "io":
      return false;
    // A plain attempt that meets TLS or HTTP says nothing about the TLS modes that follow it.
    case "wire_mismatch":
      return mode !== "plain";
    default:
      return true;
  }
}

function warnOfPlain({ logger, host, port }: ConnectControlOptions): void {
  const server = formatAddress({ host, port });
  logger.warn("Tunnel is not encrypted: the server proved that it is set to tls=0", { server });
}

/** What to look at when the address itself is the trouble. */
const ADVICE: Readonly<Partial<Record<ErrorCode, string>>> = {
  connection_refused: "check that the server runs and that its tunnel port is this one",
  name_not_found: "check the host name in this client's URL, or this machine's DNS",
  timed_out: "check the address, and the firewalls on the way",
};

function atAddress(options: ServerRoute, error: NodePassError): NodePassError {
  const action = `Cannot connect to ${formatAddress(options)}`;
  if (error.message.startsWith(action)) {
    const advice = ADVICE[error.code];
    return advice === undefined
      ? error
      : new NodePassError(error.code, `${error.message}: ${advice}`, { cause: error });
  }
  const reason = error.message.replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase());
  return new NodePassError(error.code, `${action}: ${reason}`, { cause: error });
}
