/**
 * What every stream connection must do, whatever is under it.
 *
 * @module
 */
import type { Conn } from "../../src/runtime/types.ts";
import { deepEqual, equal, ok } from "../harness.ts";
import { checksum, drain, pattern, readExactly, writeAll } from "./runtime_scope.ts";

const ENOUGH_BYTES = 40_000_000;
/** Kernel buffers may grow to some megabytes. */
const TOO_MANY_BYTES = 30_000_000;

/** Bytes move both ways at once, unchanged, and each direction ends by itself. */
export async function movesBothWays(client: Conn, server: Conn, bytes: number): Promise<void> {
  const payload = pattern(bytes);
  const send = async (conn: Conn): Promise<void> => {
    await writeAll(conn, payload);
    await conn.closeWrite();
  };
  const [up, down] = await Promise.all([drain(server), drain(client), send(client), send(server)]);
  deepEqual([up, down], Array(2).fill({ length: payload.length, sum: checksum(payload) }));
}

/** A writer stops while nobody reads, and goes on when somebody does. */
export async function writerWaits(from: Conn, to: Conn): Promise<void> {
  let written = 0;
  const writing = (async () => {
    while (written < ENOUGH_BYTES) written += await from.write(new Uint8Array(1_000_000));
  })();
  await new Promise((resolve) => setTimeout(resolve, 200));
  ok(written < TOO_MANY_BYTES, `${written} bytes were taken from a writer whose reader does not read`);
  equal((await readExactly(to, ENOUGH_BYTES)).length, ENOUGH_BYTES);
  await writing;
}
