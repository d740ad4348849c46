/**
 * Somebody on the path between a client and a server, over sockets.
 *
 * @module
 */
import type { Conn, Listener } from "../../src/runtime/types.ts";

/** Changes what the server says, or does not. */
export type Change = (chunk: Uint8Array) => void;

/** Lies about the server's mode, which the proof binds, and the code that a client must end with. */
export const LIES: readonly (readonly [code: string, lie: Change])[] = [
  ["wire_mismatch", () => {}],
  ["wrong_key", (chunk) => void (chunk[48] = 0)],
];

/** Accepts from the client, connects to the server, and may change what the server says. */
export async function onPath(
  listener: Listener<Conn & { handshake?: () => Promise<void> }>,
  connect: () => Promise<Conn>,
  change: Change,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const relays: Promise<void>[] = [];
  const relay = async (client: Conn & { handshake?: () => Promise<void> }): Promise<void> => {
    try {
      await client.handshake?.();
      const server = await connect();
      await Promise.all([pump(client, server, () => {}), pump(server, client, change)]);
    } catch {
      client.close();
    }
  };
  const accepting = (async () => {
    for (let conn = await listener.accept(); conn !== null; conn = await listener.accept()) relays.push(relay(conn));
  })();
  try {
    await use(listener.local.port);
  } finally {
    listener.close();
    await accepting;
    await Promise.all(relays);
  }
}

/** Sends on what arrives, changed or not, until either side ends. */
async function pump(from: Conn, to: Conn, change: Change): Promise<void> {
  const buffer = new Uint8Array(4_096);
  try {
    for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
      // `ws` may keep what it is given until it is sent.
      const chunk = buffer.slice(0, count);
      change(chunk);
      for (let at = 0; at < count;) at += await to.write(chunk.subarray(at));
    }
  } catch {
    // One of them hung up.
  }
  from.close();
  to.close();
}
