/**
 * What both ends of a control channel know after the handshake.
 *
 * @module
 */

/** How a server's tunnel port is protected. */
export type ServerTls = "plain" | "derived" | "files";

/** What links travel in. */
export type Transport = "tcp" | "websocket";

/** What both ends agreed on. */
export interface Agreement {
  /** 32 hex digits, given out by the server, kept over resumes. */
  readonly clientId: string;
  /** The server still knew this client: its links and sessions go on. */
  readonly resumed: boolean;
  /** HMAC key of the link prefaces that belong to this control channel. */
  readonly linkKey: CryptoKey;
  /** HMAC key that lets this client, and nobody else, resume later. */
  readonly resumeSecret: CryptoKey;
  /** What the server proved about its own configuration. */
  readonly serverTls: ServerTls;
  readonly transport: Transport;
}

/** What a client shows to resume: taken from its last agreement. */
export interface ResumeTicket {
  readonly clientId: string;
  readonly resumeSecret: CryptoKey;
}
