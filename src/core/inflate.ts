/**
 * Bodies of requests that come compressed.
 *
 * @module
 */
import { joinBytes } from "../bytes/join.ts";
import { Failure } from "./failure.ts";

/**
 * What was compressed with gzip, up to a limit.
 *
 * @throws {Failure} PAYLOAD_TOO_LARGE when it is longer, VALIDATION_FAILED when it is not gzip or does not end
 */
export async function inflate(bytes: Uint8Array<ArrayBuffer>, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const { readable, writable } = new DecompressionStream("gzip");
  const writer = writable.getWriter();
  // Both settle with the reading side, which reports the failure.
  writer.write(bytes).catch(() => {});
  writer.close().catch(() => {});
  const reader = readable.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.length;
      if (length > limit) {
        await reader.cancel().catch(() => {});
        throw new Failure("PAYLOAD_TOO_LARGE", `Request body exceeds ${limit} bytes once it is decompressed`);
      }
      chunks.push(value);
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("VALIDATION_FAILED", "Request body is not valid gzip", {
      issues: [{ path: "", message: "expected gzip" }],
      cause: error,
    });
  }
  return joinBytes(chunks, length);
}
