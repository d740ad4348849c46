/**
 * Both sides of a handshake over connections in memory, and somebody in the middle.
 *
 * @module
 */
import { NodePassError } from "../../src/errors.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import type { Agreement } from "../../src/wire/secure/agreement.ts";
import { clientHandshake, type ClientHandshakeOptions } from "../../src/wire/secure/client_handshake.ts";
import { HELLO_BYTES, readOpening } from "../../src/wire/secure/opening.ts";
import { REPLY_BYTES } from "../../src/wire/secure/handshake_messages.ts";
import { formatGeneratedKey } from "../../src/generated_key.ts";
import { deriveRoot, type RootSecret } from "../../src/wire/secure/root_secret.ts";
import { serverHandshake, type ServerHandshakeOptions } from "../../src/wire/secure/server_handshake.ts";
import { type MemoryConn, memoryPair } from "../memory_conn.ts";

export const LEAF: Uint8Array = new Uint8Array(32).fill(0xa1);
export const OTHER_LEAF: Uint8Array = new Uint8Array(32).fill(0xb2);

export function newRoot(): Promise<RootSecret> {
  return deriveRoot(formatGeneratedKey(systemRandom.bytes(32)));
}

export function serverOptions(root: RootSecret, change: Partial<ServerHandshakeOptions> = {}): ServerHandshakeOptions {
  return {
    root,
    random: systemRandom,
    transport: "tcp",
    tls: "derived",
    leafSha256: LEAF,
    resumeSecrets: () => [],
    ...change,
  };
}

export function clientOptions(root: RootSecret, change: Partial<ClientHandshakeOptions> = {}): ClientHandshakeOptions {
  return { root, random: systemRandom, transport: "tcp", tls: "derived", leafSha256: LEAF, resume: null, ...change };
}

export type Outcome = { agreement: Agreement; error: null } | { agreement: null; error: NodePassError };

/** Runs one side and closes its end when it fails, as its caller must. */
export async function settle(conn: MemoryConn, run: Promise<Agreement>): Promise<Outcome> {
  try {
    return { agreement: await run, error: null };
  } catch (error) {
    conn.close();
    if (!(error instanceof NodePassError)) throw error;
    return { agreement: null, error };
  }
}

export async function serve(conn: MemoryConn, options: ServerHandshakeOptions): Promise<Agreement> {
  return await serverHandshake(conn, (await readOpening(conn)).bytes, options);
}

export interface Both {
  readonly server: Outcome;
  readonly client: Outcome;
  readonly serverConn: MemoryConn;
  readonly clientConn: MemoryConn;
}

export async function shake(serverSide: ServerHandshakeOptions, clientSide: ClientHandshakeOptions): Promise<Both> {
  const [serverConn, clientConn] = memoryPair();
  const [server, client] = await Promise.all([
    settle(serverConn, serve(serverConn, serverSide)),
    settle(clientConn, clientHandshake(clientConn, clientSide)),
  ]);
  return { server, client, serverConn, clientConn };
}

export async function agree(
  serverSide: ServerHandshakeOptions,
  clientSide: ClientHandshakeOptions,
): Promise<[Agreement, Agreement]> {
  const { server, client } = await shake(serverSide, clientSide);
  if (server.agreement === null) throw server.error;
  if (client.agreement === null) throw client.error;
  return [server.agreement, client.agreement];
}

/** A machine in the middle that may change each message; it relays until one side hangs up. */
export async function shakeThrough(
  serverSide: ServerHandshakeOptions,
  clientSide: ClientHandshakeOptions,
  tamper: {
    hello?: (bytes: Uint8Array) => void;
    reply?: (bytes: Uint8Array) => void;
    proof?: (bytes: Uint8Array) => void;
  },
): Promise<{ server: Outcome; client: Outcome }> {
  const [serverConn, toServer] = memoryPair();
  const [toClient, clientConn] = memoryPair();
  const pass = async (
    from: MemoryConn,
    to: MemoryConn,
    size: number,
    change?: (bytes: Uint8Array) => void,
  ): Promise<void> => {
    const bytes = new Uint8Array(size);
    let have = 0;
    while (have < size) {
      const count = await from.read(bytes.subarray(have));
      if (count === null) return await to.closeWrite();
      have += count;
    }
    change?.(bytes);
    await to.write(bytes);
  };
  const relaying = (async () => {
    await pass(toClient, toServer, HELLO_BYTES, tamper.hello);
    await pass(toServer, toClient, REPLY_BYTES, tamper.reply);
    await pass(toClient, toServer, 32, tamper.proof);
  })();
  const server = settle(serverConn, serve(serverConn, serverSide));
  const client = settle(clientConn, clientHandshake(clientConn, clientSide));
  const outcome = { server: await server, client: await client };
  toServer.close();
  toClient.close();
  await relaying.catch(() => {});
  return outcome;
}
