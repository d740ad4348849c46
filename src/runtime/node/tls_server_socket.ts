/**
 * The server's side of TLS on an accepted socket.
 *
 * @module
 */
import type net from "node:net";
import tls from "node:tls";
import type { ServerCertificate } from "../types.ts";
import { tlsTransport } from "./gated_transport.ts";

/** What connections are encrypted with; throws for a certificate that does not work. */
export function secureContext({ chainPem, keyPem }: ServerCertificate): tls.SecureContext {
  return tls.createSecureContext({ cert: chainPem, key: keyPem, minVersion: "TLSv1.2" });
}

/** Waits for the client's hello on a fresh socket. */
export function serverTlsSocket(socket: net.Socket, context: tls.SecureContext): tls.TLSSocket {
  const transport = tlsTransport(socket);
  const options = { isServer: true, secureContext: context, ...transport.options };
  const tlsSocket = new tls.TLSSocket(transport.socket, options);
  transport.attach(tlsSocket);
  return tlsSocket;
}
