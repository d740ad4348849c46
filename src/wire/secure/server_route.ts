/**
 * The way from a client to its server: one connection in one mode.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import type { Conn, Runtime, TlsTrust } from "../../runtime/types.ts";
import type { ServerTls, Transport } from "./agreement.ts";
import { type ClientIdentity, INTERNAL_NAME, sha256 } from "./identity.ts";

/** Where the server is and how it may be reached. */
export interface ServerRoute {
  readonly runtime: Pick<Runtime, "net" | "tls" | "webSockets" | "clock" | "random" | "toError">;
  readonly identity: ClientIdentity;
  /** Of the tunnel address: a literal IP or a name, resolved anew for each connection. */
  readonly host: string;
  readonly port: number;
  /** Name for certificates from files, and `Host:` of WebSocket links without TLS. */
  readonly serverName: string;
  /** PEM of trust roots besides those of the system, for certificates from files. */
  readonly extraCaPem: string | null;
  readonly transport: Transport;
  /** Path of WebSocket links. */
  readonly path: string;
  /** For the connection with its TLS, and once more for the handshake on it. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** A connection and what the server showed on it. */
export interface Reached {
  readonly conn: Conn;
  /** Null in clear and inside WebSockets, where a proxy may end TLS. */
  readonly leafSha256: Uint8Array<ArrayBuffer> | null;
}

/** The placeholder of the configuration for "no name known". */
const NO_NAME = "none";

/** A connection for a control channel: exact trust, and the leaf that the proofs bind. */
export async function reachForControl(route: ServerRoute, mode: ServerTls): Promise<Reached> {
  if (mode === "plain" || route.transport === "websocket") return { conn: await reach(route, mode), leafSha256: null };
  const { runtime } = route;
  const conn = await runtime.tls.connect({ ...target(route), ...security(route, mode), wantPeerCertificate: true });
  if (conn.peerCertificate === null) {
    conn.close();
    throw new NodePassError("certificate", "Cannot see the server's certificate: the runtime does not show it");
  }
  return { conn, leafSha256: await sha256(conn.peerCertificate) };
}

/** A connection for a link: the fastest that the runtime has. */
export async function reach(route: ServerRoute, mode: ServerTls): Promise<Conn> {
  const { runtime } = route;
  if (route.transport === "websocket") {
    const { serverName, trust } = mode === "plain"
      ? { serverName: hostName(route), trust: null }
      : security(route, mode);
    return await runtime.webSockets.connect({ ...target(route), serverName, trust, path: route.path });
  }
  if (mode === "plain") return await runtime.net.connect(target(route));
  return await runtime.tls.connect({ ...target(route), ...security(route, mode) });
}

/** Host, port and limits of one connection. */
export function target(route: ServerRoute): { host: string; port: number; timeoutMs: number; signal?: AbortSignal } {
  const { host, port, timeoutMs, signal } = route;
  return signal === undefined ? { host, port, timeoutMs } : { host, port, timeoutMs, signal };
}

function security(route: ServerRoute, mode: "derived" | "files"): { serverName: string; trust: TlsTrust } {
  if (mode === "derived") {
    return { serverName: INTERNAL_NAME, trust: { kind: "only", caPem: route.identity.caPem } };
  }
  const { serverName, extraCaPem } = route;
  return { serverName, trust: extraCaPem === null ? { kind: "system" } : { kind: "system", extraCaPem } };
}

function hostName({ serverName, host }: ServerRoute): string {
  return serverName === NO_NAME || serverName === "" ? host : serverName;
}
