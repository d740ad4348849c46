/**
 * TLS clients on `node:tls`.
 *
 * @module
 */
import { X509Certificate } from "node:crypto";
import type net from "node:net";
import tls from "node:tls";
import { formatAddress, isIp } from "../../address/ip.ts";
import { NodePassError } from "../../errors.ts";
import { Deadline, withinDeadline } from "../deadline.ts";
import { toNodePassError } from "../error_map.ts";
import type { CertificateSummary, ConnectOptions, TlsConn, TlsConnectOptions, TlsTrust } from "../types.ts";
import { tlsTransport } from "./gated_transport.ts";
import { openSocket } from "./sockets.ts";
import { NodeTlsConn } from "./tls_conn.ts";

/** Connects and completes the handshake. */
export async function connectTls(options: TlsConnectOptions): Promise<TlsConn> {
  const action = `Cannot connect to ${formatAddress(options)}`;
  const deadline = new Deadline(options);
  try {
    const socket = await openSocket(options, deadline, action);
    const tlsSocket = secureSocket(socket, options);
    const conn = new NodeTlsConn(tlsSocket, socket, "secureConnect", options.wantPeerCertificate === true);
    await withinDeadline(conn.handshake(), () => conn.close(), deadline, action);
    return conn;
  } catch (error) {
    throw toNodePassError(error, action);
  } finally {
    deadline.end();
  }
}

/** Starts TLS on a connected socket. */
export function secureSocket(
  socket: net.Socket,
  options: Pick<TlsConnectOptions, "serverName" | "trust" | "wantPeerCertificate">,
): tls.TLSSocket {
  if (options.trust.kind === "any" && options.wantPeerCertificate !== true) {
    socket.destroy();
    throw new NodePassError(
      "usage",
      "Cannot trust any certificate without looking at it: wantPeerCertificate is missing",
    );
  }
  const minVersion = options.wantPeerCertificate === true ? "TLSv1.3" : "TLSv1.2";
  return startTls(socket, {
    ...nameOptions(options.serverName),
    secureContext: contextOf(options.trust, minVersion),
    rejectUnauthorized: options.trust.kind !== "any",
    minVersion,
  });
}

/** The last contexts, the newest last: reading all roots again would cost each link 10 ms of processor time. */
const contexts = new Map<string, tls.SecureContext>();
const MAX_CONTEXTS = 8;

function contextOf(trust: TlsTrust, minVersion: tls.SecureVersion): tls.SecureContext {
  const key = `${minVersion} ${trust.kind} ${pemOf(trust) ?? ""}`;
  const context = contexts.get(key) ?? tls.createSecureContext({ ...trustOptions(trust), minVersion });
  contexts.delete(key);
  contexts.set(key, context);
  for (const oldest of contexts.keys()) {
    if (contexts.size <= MAX_CONTEXTS) break;
    contexts.delete(oldest);
  }
  return context;
}

function startTls(socket: net.Socket, options: tls.ConnectionOptions): tls.TLSSocket {
  const transport = tlsTransport(socket);
  const tlsSocket = tls.connect({ socket: transport.socket, ...transport.options, ...options });
  transport.attach(tlsSocket);
  return tlsSocket;
}

/** Reads the leaf of a server without trusting it. */
export async function inspectTls(
  options: ConnectOptions & { readonly serverName: string },
): Promise<CertificateSummary | null> {
  const action = `Cannot connect to ${formatAddress(options)}`;
  const deadline = new Deadline(options);
  try {
    const socket = await openSocket(options, deadline, action);
    const tlsSocket = startTls(socket, { ...nameOptions(options.serverName), rejectUnauthorized: false });
    const conn = new NodeTlsConn(tlsSocket, socket, "secureConnect", true);
    try {
      await withinDeadline(conn.handshake(), () => conn.close(), deadline, action);
    } catch (error) {
      if (deadline.signal.aborted) throw error;
      return null;
    }
    const der = conn.peerCertificate;
    conn.close();
    return der === null ? null : summaryOf(new X509Certificate(der));
  } catch (error) {
    throw toNodePassError(error, action);
  } finally {
    deadline.end();
  }
}

/** An IP address is verified but never sent as a server name (RFC 6066). */
function nameOptions(serverName: string): { host: string; servername?: string } {
  return isIp(serverName) ? { host: serverName } : { host: serverName, servername: serverName };
}

function trustOptions(trust: TlsTrust): { ca?: string[] } {
  switch (trust.kind) {
    case "only":
      return { ca: [trust.caPem] };
    case "system":
      return trust.extraCaPem === undefined ? {} : { ca: [...systemRoots(), trust.extraCaPem] };
    case "any":
      // Nothing is verified: reading the roots would be for nothing.
      return { ca: [] };
  }
}

function pemOf(trust: TlsTrust): string | undefined {
  switch (trust.kind) {
    case "only":
      return trust.caPem;
    case "system":
      return trust.extraCaPem;
    case "any":
      return undefined;
  }
}

function systemRoots(): readonly string[] {
  // Newer Node lists everything that it trusts, NODE_EXTRA_CA_CERTS included.
  return typeof tls.getCACertificates === "function" ? tls.getCACertificates("default") : tls.rootCertificates;
}

function summaryOf(certificate: X509Certificate): CertificateSummary {
  const names = (certificate.subjectAltName ?? "").split(/,\s*/).map((name) => name.replace(/^(DNS|IP Address):/, ""));
  return {
    subject: certificate.subject.replaceAll("\n", ", "),
    issuer: certificate.issuer.replaceAll("\n", ", "),
    names: names.filter((name) => name !== ""),
    notBefore: new Date(certificate.validFrom),
    notAfter: new Date(certificate.validTo),
  };
}
