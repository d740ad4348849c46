/**
 * Answers 64-byte messages: `echo.ts PORT`. A message that starts with `P` is answered in two writes, others in one.
 *
 * @module
 */
import { FIRST_PART_BYTES, MESSAGE_BYTES, readMessage, SPLIT_ANSWER, writeAll } from "./message.ts";

async function serve(conn: Deno.TcpConn): Promise<void> {
  conn.setNoDelay(true);
  const message = new Uint8Array(MESSAGE_BYTES);
  try {
    while (await readMessage(conn, message)) {
      if (message[0] === SPLIT_ANSWER) {
        await writeAll(conn, message.subarray(0, FIRST_PART_BYTES));
        await writeAll(conn, message.subarray(FIRST_PART_BYTES));
      } else {
        await writeAll(conn, message);
      }
    }
  } catch {
    // The load ended: its sockets break.
  } finally {
    conn.close();
  }
}

const listener = Deno.listen({ hostname: "127.0.0.1", port: Number(Deno.args[0]) });
console.log("ready");
for await (const conn of listener) void serve(conn);
