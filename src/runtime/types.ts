/**
 * The runtime port: everything the product needs from Deno or Node.
 *
 * The shapes are Deno's own, so that the first runtime passes through and only Node pays for a wrapper.
 * Adapters turn the platform's errors into {@linkcode NodePassError} where they can do so for free (connect, listen,
 * files); errors of `read`, `write`, `send` and `receive` pass through unchanged, and `Runtime.toError` maps them on
 * the failure path.
 *
 * @module
 */
import type { NodePassError } from "../errors.ts";
import type { Files } from "./types/files.ts";
import type { Processes } from "./types/processes.ts";
export type { FileLock, Files, WriteOptions } from "./types/files.ts";
export type { ChildExit, ChildProcess, Processes, SpawnOptions } from "./types/processes.ts";

/** A socket address: a literal IP (no brackets) and a port. */
export interface SocketAddress {
  /** Literal IP. */
  readonly host: string;
  /** Port. */
  readonly port: number;
}

/** One stream connection. */
export interface Conn {
  /** This end. */
  readonly local: SocketAddress;
  /** The other end. */
  readonly remote: SocketAddress;
  /** Reads into the start of `into`; the number of bytes (at least 1), or null at the end of the stream. */
  read(into: Uint8Array): Promise<number | null>;
  /** Writes a prefix of `bytes` and says how long it was: callers loop. Resolves when the kernel took them. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends the sending direction; reading goes on. */
  closeWrite(): Promise<void>;
  /** Closes both directions. Idempotent; pending reads and writes reject or end. */
  close(): void;
  /** Closes with a reset where the runtime can (Node), else like `close`. Idempotent. */
  reset(): void;
}

/** A connection inside TLS. */
export interface TlsConn extends Conn {
  /** Completes the handshake; `read` and `write` wait for it anyway. Rejects with code `certificate` or `protocol`. */
  handshake(): Promise<void>;
  /** DER of the peer's leaf certificate: only from `connect` with `wantPeerCertificate`, after the handshake. */
  readonly peerCertificate: Uint8Array | null;
}

/**
 * An accepted connection that may still become TLS. Nothing of it is read before the choice: the first `read`, `write` or
 * `closeWrite` makes it plain for good.
 */
export interface UpgradableConn extends Conn {
  /**
   * Serves TLS (1.3, or 1.2 where the client has nothing newer) on it and resolves after the handshake; from then on only
   * the returned connection may be used. `close` or `reset` of this one give the handshake up. Rejects with code
   * `certificate`, `protocol`, `connection_reset` or `closed`, and the connection is closed then.
   */
  upgrade(certificate: ServerCertificate): Promise<TlsConn>;
}

/** A stream listener. */
export interface Listener<C extends Conn = Conn> {
  /** Where it listens. */
  readonly local: SocketAddress;
  /**
   * The next connection, or null once the listener was closed. For TLS the handshake has not run yet.
   * Rejects on EMFILE and the like: callers back off and call again.
   */
  accept(): Promise<C | null>;
  /** Stops listening; accepted connections stay. Idempotent. */
  close(): void;
}

/** A TLS listener whose certificate can be replaced without dropping established connections. */
export interface TlsListener extends Listener<TlsConn> {
  /** Shows another certificate from now on. */
  setCertificate(certificate: ServerCertificate): Promise<void>;
}

/** PEM text of a chain (leaf first) and its private key (PKCS #8). */
export interface ServerCertificate {
  /** PEM chain, the leaf first. */
  readonly chainPem: string;
  /** PEM private key (PKCS #8). */
  readonly keyPem: string;
}

/** Options of `Net.connect`. */
export interface ConnectOptions {
  /** A literal IP or a host name. */
  readonly host: string;
  /** Port to connect to. */
  readonly port: number;
  /** Source IP. @default chosen by the system */
  readonly localHost?: string;
  /** Limit of the connection attempt. */
  readonly timeoutMs: number;
  /** Gives the attempt up. */
  readonly signal?: AbortSignal;
}

/** Options of `Net.listen`. */
export interface ListenOptions {
  /** A literal IP or a name; "" listens on all addresses, IPv6 and IPv4 together where the machine has IPv6. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /**
   * Other threads of this program listen on the same port too: the system gives each connection to one of them.
   *
   * @default false
   */
  readonly shared?: boolean;
}

/** TCP. All connections have Nagle's delay off and keep-alive on. */
export interface Net {
  /** Connects, or rejects within the limit. */
  connect(options: ConnectOptions): Promise<Conn>;
  /** Listens. */
  listen(options: ListenOptions): Promise<Listener>;
}

/** Which server certificates a TLS client accepts. */
export type TlsTrust =
  /** Only chains that end in this CA (PEM). */
  | { readonly kind: "only"; readonly caPem: string }
  /** The roots of the runtime, plus these (PEM). */
  | { readonly kind: "system"; readonly extraCaPem?: string }
  /** Every certificate: whoever connects looks at `peerCertificate`, so that only goes with `wantPeerCertificate`. */
  | { readonly kind: "any" };

/** Options of `Tls.connect`. */
export interface TlsConnectOptions extends ConnectOptions {
  /** Name that is sent (SNI, unless an IP) and verified. */
  readonly serverName: string;
  /** Whom to believe. */
  readonly trust: TlsTrust;
  /** Needs TLS 1.3 and the peer's certificate: exact trust, at the price of a slower path on Deno. @default false */
  readonly wantPeerCertificate?: boolean;
}

/** What a server's leaf says about itself, unverified: only to word an error message. */
export interface CertificateSummary {
  /** Whom it was made for. */
  readonly subject: string;
  /** Who signed it. */
  readonly issuer: string;
  /** Alternative names. */
  readonly names: readonly string[];
  /** Valid from. */
  readonly notBefore: Date;
  /** Valid until. */
  readonly notAfter: Date;
}

/** TLS. */
export interface Tls {
  /** Resolves after the handshake. */
  connect(options: TlsConnectOptions): Promise<TlsConn>;
  /** Listens; handshakes run when a connection is used. */
  listen(options: ListenOptions & { readonly certificate: ServerCertificate }): Promise<TlsListener>;
  /** Listens for connections of which each is plain or TLS, as the one who accepts it decides. */
  listenUpgradable(options: ListenOptions): Promise<Listener<UpgradableConn>>;
  /** Connects without verifying, reads the leaf, closes. Null when the other side does not speak TLS. */
  inspect(options: ConnectOptions & { readonly serverName: string }): Promise<CertificateSummary | null>;
  /** True when connections of `listen` cannot switch Nagle's delay off (native Deno). */
  readonly serverDelaysSmallWrites: boolean;
}

/** Options of `WebSockets.connect`. */
export interface WebSocketConnectOptions extends ConnectOptions {
  /** Path of the upgrade request, with its leading slash. */
  readonly path: string;
  /** `Host:` of the request, SNI and verified name. */
  readonly serverName: string;
  /** null: plain `ws:`. */
  readonly trust: TlsTrust | null;
}

/** Options of `WebSockets.listen`. */
export interface WebSocketListenOptions extends ListenOptions {
  /** Path that upgrade requests must name. */
  readonly path: string;
  /** null: plain `ws:`. */
  readonly certificate: ServerCertificate | null;
  /** A request without a complete upgrade within this time is closed. */
  readonly handshakeTimeoutMs: number;
}

/** Streams inside binary WebSocket messages; message boundaries carry no meaning. Back-pressure in both directions. */
export interface WebSockets {
  /** Connects and upgrades. */
  connect(options: WebSocketConnectOptions): Promise<Conn>;
  /** Listens; `accept` gives connections that were upgraded. */
  listen(
    options: WebSocketListenOptions,
  ): Promise<Listener & { setCertificate(certificate: ServerCertificate): Promise<void> }>;
}

/**
 * Takes one datagram. `bytes` are valid during the call, or until the promise settles, which the next datagram waits for.
 * Datagrams of one sender in a row come with the same `from` object.
 */
export type TakeDatagram = (bytes: Uint8Array, from: SocketAddress) => void | Promise<void>;

/** One UDP socket. */
export interface Datagram {
  /** Where it is bound. */
  readonly local: SocketAddress;
  /** Waits for one datagram: the part of `into` that it fills, and its sender. Rejects once closed. */
  receive(into: Uint8Array): Promise<[Uint8Array, SocketAddress]>;
  /**
   * Gives every datagram to `take` until the socket fails or is closed, then rejects. Cheaper than `receive` in a loop.
   *
   * @param room for the largest datagram; whether it is used is the runtime's affair
   */
  receiveAll(room: Uint8Array, take: TakeDatagram): Promise<never>;
  /**
   * Sends one datagram; `bytes` are the socket's until the promise settles. Undefined when nothing is left to wait for:
   * the system took it, or it was lost.
   */
  send(bytes: Uint8Array, to: SocketAddress): Promise<unknown> | undefined;
  /** Closes it. Idempotent. */
  close(): void;
}

/** Options of `Udp.bind`. */
export interface BindOptions extends ListenOptions {
  /** The only address that the socket sends to. Where the runtime can, it then receives from there alone, too. */
  readonly peer?: SocketAddress;
}

/** UDP. */
export interface Udp {
  /** Opens a socket. */
  bind(options: BindOptions): Promise<Datagram>;
  /** Whether `shared` works: the datagrams of one sender then keep going to the same socket. */
  readonly sharesPorts: boolean;
}

/** Name resolution as the system does it (hosts file included). */
export interface Dns {
  /** Literal IPs, in the system's order, at least one; rejects with code `name_not_found`. */
  resolve(name: string): Promise<readonly string[]>;
}

/** Signals that the command reacts to. */
export type SignalName = "SIGINT" | "SIGTERM" | "SIGHUP";

/** This process. */
export interface Process {
  /** Arguments behind the program. */
  readonly args: readonly string[];
  /** Its number. */
  readonly pid: number;
  /** Path of the program that runs this: the runtime, or the one executable that carries everything. */
  readonly execPath: string;
  /** Whether runtime and product are one executable file. */
  readonly standalone: boolean;
  /** Undefined when unset, or when the permission to read it is missing. */
  env(name: string): string | undefined;
  /** Standard output; `text` ends with its own newline. Never throws (a closed pipe is ignored). */
  stdout(text: string): void;
  /** Standard error, as `stdout`. */
  stderr(text: string): void;
  /**
   * Gives standard input to `take` and resolves at its end, or when reading fails; once in a program. Bytes are only valid
   * during the call.
   */
  readInput(take: (bytes: Uint8Array) => void): Promise<void>;
  /**
   * Writes to standard output without ever stopping the program, whoever reads there. Resolves once the bytes are out, or
   * lost because nobody reads any more; one call at a time, and not beside `stdout`.
   */
  writeOutput(bytes: Uint8Array): Promise<void>;
  /** Whether a person reads along. */
  readonly stdoutIsTerminal: boolean;
  /** Columns of the terminal. */
  readonly columns: number;
  /** What process lists show from now on. */
  setTitle(title: string): void;
  /** Ends the process at once. */
  exit(code: number): never;
  /** Calls `handler` at each signal until the returned function is called. */
  onSignal(name: SignalName, handler: () => void): () => void;
  /**
   * Makes the event loop go on to timers and to what was deferred once it has taken what is ready now, before what becomes
   * ready meanwhile. Nothing happens where it does so by itself (Deno), on Windows, and in threads.
   */
  endTurn(): void;
}

/** A timer that was started. */
export interface Timer {
  /** Stops it. Idempotent. */
  cancel(): void;
}

/** Time. */
export interface Clock {
  /** Milliseconds of a clock that never jumps; its zero means nothing. */
  now(): number;
  /** Milliseconds since the epoch. */
  wall(): number;
  /** Calls `run` once after `ms`. */
  after(ms: number, run: () => void): Timer;
  /** Calls `run` every `ms`. */
  every(ms: number, run: () => void): Timer;
  /** Calls `run` once, after what the system has ready by now was taken: for work that is cheaper in batches. */
  soon(run: () => void): void;
}

/** Randomness. */
export interface Random {
  /** Bytes that nobody can predict. */
  bytes(length: number): Uint8Array<ArrayBuffer>;
  /** At least 0, less than 1. */
  fraction(): number;
}

/** What the owner of a thread is told. */
export interface ThreadEvents {
  /** The thread sent something. */
  message(value: unknown): void;
  /** It ended by itself: an error that nobody caught, or an exit. Called once, and not after `stop`. */
  ended(reason: string): void;
}

/** A thread that this program started. */
export interface Thread {
  /** Sends what structured clone can copy; `SharedArrayBuffer` stays shared. */
  send(value: unknown): void;
  /** Ends it at once. Idempotent. */
  stop(): void;
}

/** Inside a thread: the way to whoever started it. */
export interface ThreadParent {
  /** Sends what structured clone can copy. */
  send(value: unknown): void;
  /** Calls `handler` with everything that the parent sends from now on. */
  onMessage(handler: (value: unknown) => void): void;
  /** Calls `handler` with an error that nobody caught; the thread ends afterwards. */
  onCrash(handler: (error: unknown) => void): void;
}

/** Threads of this program: each has memory and sockets of its own. */
export interface Threads {
  /** How many can run at the same time on this machine. */
  readonly processors: number;
  /** Inside a thread that `start` made, the way back; null elsewhere. */
  readonly parent: ThreadParent | null;
  /**
   * Runs a module in a new thread. Nothing reaches it before it has called `onMessage`: it speaks first.
   *
   * @param entry URL of the module
   */
  start(entry: string, events: ThreadEvents): Thread;
}

/** One runtime: the native Deno adapter or the Node adapter. */
export interface Runtime {
  /** Which one. */
  readonly name: "deno" | "node";
  /** TCP. */
  readonly net: Net;
  /** TLS. */
  readonly tls: Tls;
  /** WebSockets. */
  readonly webSockets: WebSockets;
  /** UDP. */
  readonly udp: Udp;
  /** Names. */
  readonly dns: Dns;
  /** Files. */
  readonly files: Files;
  /** This process. */
  readonly process: Process;
  /** Other processes. */
  readonly processes: Processes;
  /** Threads. */
  readonly threads: Threads;
  /** Time. */
  readonly clock: Clock;
  /** Randomness. */
  readonly random: Random;
  /** The meaning of an error that a socket or file threw; a NodePassError comes back as it is. */
  toError(error: unknown, action?: string): NodePassError;
}
