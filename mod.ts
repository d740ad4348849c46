/**
 * TCP and UDP tunnel, relay and single-end forwarder for Deno and Node.
 *
 * @module
 */

export { type ErrorCode, NodePassError, type NodePassErrorOptions } from "./src/errors.ts";
export { defaultSettings, readSettings } from "./src/config/settings.ts";
export { Secret } from "./src/config/secret.ts";
export {
  formatTunnelUrl,
  type ParsedTunnelUrl,
  type ParseOptions,
  parseTunnelUrl,
  redactUrl,
} from "./src/config/tunnel_url.ts";
export { type MasterConfig, type ParsedMasterUrl, parseMasterUrl } from "./src/config/master_url.ts";
export type { FormatOptions } from "./src/config/format.ts";
export type { QueryEntry } from "./src/config/url_text.ts";
export type {
  BlockedProtocols,
  CertificateFiles,
  ClientConfig,
  HostPort,
  ServerConfig,
  Settings,
  TunnelConfig,
  TunnelConfigBase,
  TunnelKey,
} from "./src/config/types.ts";
export type { Cidr } from "./src/address/cidr.ts";
export { createLogger, type LoggerOptions } from "./src/log/logger.ts";
export type { LineLevel, LogFields, Logger, LogLevel } from "./src/log/types.ts";
export { relay, type RelayOptions, type RelayResult, type StreamPair } from "./src/relay/streams.ts";
export { startClient, startForward } from "./src/start/client.ts";
export type { StartOptions } from "./src/start/options.ts";
export { type MasterHandle, startMaster, type StartMasterOptions } from "./src/start/master.ts";
export {
  type CoreHandle,
  type CoreSettings,
  type DatabaseSetting,
  type IpInfoProviderName,
  readCoreSettings,
  type RegistrationMode,
  type RunningCore,
  startCore,
  type StartCoreOptions,
  type TlsSetting,
} from "./src/start/core.ts";
export { startServer } from "./src/start/server.ts";
export type { Protocol } from "./src/relay/meter.ts";
export type {
  BindOptions,
  CertificateSummary,
  ChildExit,
  ChildProcess,
  Clock,
  Conn,
  ConnectOptions,
  Datagram,
  Dns,
  FileLock,
  Files,
  Listener,
  ListenOptions,
  Net,
  Process,
  Processes,
  Random,
  Runtime,
  ServerCertificate,
  SignalName,
  SocketAddress,
  SpawnOptions,
  TakeDatagram,
  Thread,
  ThreadEvents,
  ThreadParent,
  Threads,
  Timer,
  Tls,
  TlsConn,
  TlsConnectOptions,
  TlsListener,
  TlsTrust,
  Udp,
  UpgradableConn,
  WebSocketConnectOptions,
  WebSocketListenOptions,
  WebSockets,
  WriteOptions,
} from "./src/runtime/types.ts";
export type {
  CloseOptions,
  PeerInfo,
  Rejection,
  RunMode,
  SessionInfo,
  TunnelHandle,
  TunnelStats,
} from "./src/tunnel/types.ts";
