/**
 * What came in pieces, in one.
 *
 * @module
 */

/** All parts behind each other. `length` is what they have together: whoever collects them has counted it. */
export function joinBytes(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let end = 0;
  for (const part of parts) {
    whole.set(part, end);
    end += part.length;
  }
  return whole;
}
