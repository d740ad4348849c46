/**
 * A tunnel port on a real socket, and peers from any 127.x address.
 *
 * @module
 */
import { readdirSync } from "node:fs";
import net from "node:net";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { detectRuntime } from "../../../../src/runtime/detect.ts";
import type { Settings } from "../../../../src/config/types.ts";
import type { Conn, Runtime } from "../../../../src/runtime/types.ts";
import { writeAll } from "../../../../src/relay/write_all.ts";
import { openAcceptor } from "../../../../src/tunnel/accept/acceptor.ts";
import type { Acceptor } from "../../../../src/tunnel/accept/types.ts";
import { createServerIdentity, deriveClientIdentity } from "../../../../src/wire/secure/identity.ts";
import { formatGeneratedKey } from "../../../../src/generated_key.ts";
import { deriveRoot } from "../../../../src/wire/secure/root_secret.ts";
import { contextOf, MemoryLogger, serverConfig } from "./memory_port.ts";

/** The tests that take longer are asked for. */
export const fullProfile: boolean = process.env["NODEPASS_FULL"] === "1" || process.env["NODEPASS_PROFILE"] === "full";

/** Last byte of a preface that the door takes; every other one is refused. */
export const GOOD_MARK = 7;

/** Where a door listens. */
export interface Target {
  readonly runtime: Runtime;
  readonly port: number;
  /** PEM of the authority, null in clear. */
  readonly caPem: string | null;
}

/** A listening door. Links with {@linkcode GOOD_MARK} are echoed, control hellos answered with one byte. */
export interface FrontDoor extends Target {
  readonly acceptor: Acceptor;
  readonly logger: MemoryLogger;
  close(): void;
}

/**
 * Opens a door on a free port of 127.0.0.1.
 *
 * @param tls value of the parameter, with whatever else belongs into the query
 */
export async function openFrontDoor(tls: 0 | 1 | string, settings: Partial<Settings> = {}): Promise<FrontDoor> {
  const runtime = await detectRuntime();
  const logger = new MemoryLogger();
  const root = await deriveRoot(formatGeneratedKey(runtime.random.bytes(32)));
  const taken = new Set<Conn>();
  const take = async (conn: Conn, serve: (conn: Conn) => Promise<void>): Promise<void> => {
    taken.add(conn);
    await serve(conn).catch(() => {});
    conn.close();
    taken.delete(conn);
  };
  const context = contextOf(runtime, serverConfig(`tls=${tls}`, settings), logger);
  const certificate = tls === 1 ? await createServerIdentity(root, runtime.random) : null;
  const acceptor = await openAcceptor(context, certificate, {
    async control(conn) {
      await writeAll(conn, Uint8Array.of(1));
      void take(conn, async () => void await conn.read(new Uint8Array(1)));
    },
    link(conn, preface) {
      if (preface[63] !== GOOD_MARK) return Promise.resolve(false);
      void take(conn, echo);
      return Promise.resolve(true);
    },
  });
  return {
    runtime,
    acceptor,
    logger,
    port: acceptor.local.port,
    caPem: tls === 1 ? (await deriveClientIdentity(root)).caPem : null,
    close() {
      acceptor.close();
      for (const conn of taken) conn.close();
    },
  };
}

async function echo(conn: Conn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
    await writeAll(conn, buffer.subarray(0, count));
  }
}

/** A connection from a given address, through TLS when the door wants it. */
export async function connectTo(door: Target, from: string): Promise<Conn> {
  const address = { host: "127.0.0.1", port: door.port, localHost: from, timeoutMs: 5_000 };
  if (door.caPem === null) return await door.runtime.net.connect(address);
  const trust = { kind: "only", caPem: door.caPem } as const;
  return await door.runtime.tls.connect({ ...address, serverName: "nodepass.internal", trust });
}

/** Sends an opening and waits for `count` bytes that come back. */
export async function exchangeWith(conn: Conn, bytes: Uint8Array, count: number): Promise<void> {
  await writeAll(conn, bytes);
  const buffer = new Uint8Array(count);
  for (let filled = 0; filled < count;) {
    const got = await conn.read(buffer.subarray(filled));
    if (got === null) throw new Error(`closed after ${filled} of ${count} bytes`);
    filled += got;
  }
}

/** A hostile peer: a raw socket with the times of its life. */
export interface Stranger {
  readonly socket: net.Socket;
  readonly from: string;
  openedAt: number;
  /** When it ended; null while it lives. */
  closedAt: number | null;
  readonly closed: Promise<void>;
}

/** Connects from an address; resolves when connected or closed. */
export function stranger(port: number, from: string): Promise<Stranger> {
  const socket = net.connect({ host: "127.0.0.1", port, localAddress: from, noDelay: true });
  const { promise: closed, resolve: end } = Promise.withResolvers<void>();
  const self: Stranger = { socket, from, openedAt: performance.now(), closedAt: null, closed };
  return new Promise((resolve) => {
    socket.on("error", () => {});
    socket.on("connect", () => {
      self.openedAt = performance.now();
      resolve(self);
    });
    socket.on("data", () => {});
    // The door's end of file is what counts: a socket that still has bytes to send closes later.
    const ended = (): void => {
      self.closedAt ??= performance.now();
      socket.destroy();
      end();
      resolve(self);
    };
    socket.on("end", ended);
    socket.on("close", ended);
  });
}

/** The n-th address of 127/8, from 127.0.0.2 on. */
export function address(index: number): string {
  const host = index + 2;
  return `127.${host >> 16 & 255}.${host >> 8 & 255}.${host & 255}`;
}

/** Open descriptors of this process. */
export function descriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

/** Waits until `reached`, for at most `ms`; whether it was. */
export async function within(ms: number, reached: () => boolean): Promise<boolean> {
  for (const start = performance.now(); performance.now() - start < ms; await delay(20)) if (reached()) return true;
  return reached();
}
