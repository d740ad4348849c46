/**
 * TCP and UDP tunnel, relay and single-end forwarder for Deno and Node.
 *
 * @module
 */

export { type ErrorCode, NodePassError, type NodePassErrorOptions } from "./src/errors.ts";
export { defaultSettings, readSettings } from "./src/config/settings.ts";
export { Secret } from "./src/config/secret.ts";
export { formatTunnelUrl, type ParsedTunnelUrl, type ParseOptions, parseTunnelUrl } from "./src/config/tunnel_url.ts";
export type { ClientConfig, ServerConfig, Settings, TunnelConfig } from "./src/config/types.ts";
export { createLogger, type LoggerOptions } from "./src/log/logger.ts";
export type { LineLevel, LogFields, Logger, LogLevel } from "./src/log/types.ts";
export { relay } from "./src/relay/streams.ts";
export { startClient, startForward } from "./src/start/client.ts";
export type { StartOptions } from "./src/start/options.ts";
export { startServer } from "./src/start/server.ts";
export type { PeerInfo, Rejection, RunMode, SessionInfo, TunnelHandle, TunnelStats } from "./src/tunnel/types.ts";
