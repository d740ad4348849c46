/**
 * The server's side of TLS on an accepted socket.
 *
 * @module
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import type net from "node:net";
import tls from "node:tls";
import { badCertificate } from "../error_map.ts";
import type { ServerCertificate } from "../types.ts";
import { tlsTransport } from "./gated_transport.ts";

/** What connections are encrypted with; throws code `certificate` for one that does not work. */
export function secureContext({ chainPem, keyPem }: ServerCertificate): tls.SecureContext {
  try {
    // Deno's `node:tls` takes any pair here and fails at each handshake.
    if (!new X509Certificate(chainPem).checkPrivateKey(createPrivateKey(keyPem))) {
      throw new Error("the private key does not belong to it");
    }
    return tls.createSecureContext({ cert: chainPem, key: keyPem, minVersion: "TLSv1.2" });
  } catch (error) {
    throw badCertificate(error);
  }
}

/** Waits for the client's hello on a fresh socket. */
export function serverTlsSocket(socket: net.Socket, context: tls.SecureContext): tls.TLSSocket {
  const transport = tlsTransport(socket);
  const options = { isServer: true, secureContext: context, ...transport.options };
  const tlsSocket = new tls.TLSSocket(transport.socket, options);
  transport.attach(tlsSocket);
  return tlsSocket;
}
