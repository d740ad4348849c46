/**
 * The visitor of the demonstration: one page, then many bytes.
 *
 * @module
 */

import { isPayload } from "./payload.ts";

const LIMIT_MS = 60_000;

/** Fetches a page and gives its text. */
export async function fetchPage(url: string, stopped: AbortSignal): Promise<{ text: string; ms: number }> {
  const started = performance.now();
  const response = await fetch(url, { signal: limited(stopped) });
  const text = await response.text();
  if (!response.ok) throw new Error(`GET ${url} answered ${response.status}`);
  return { text, ms: performance.now() - started };
}

/** Fetches the payload and checks each byte; gives the time it took in ms. */
export async function fetchPayload(
  url: string,
  size: number,
  onProgress: (done: number, total: number) => void,
  stopped: AbortSignal,
): Promise<number> {
  const started = performance.now();
  const response = await fetch(url, { signal: limited(stopped) });
  let done = 0;
  for await (const chunk of response.body ?? []) {
    if (!isPayload(chunk, done)) throw new Error(`Bytes from ${done} on were changed on the way`);
    done += chunk.length;
    onProgress(done, size);
  }
  if (done !== size) throw new Error(`Received ${done} bytes instead of ${size}`);
  return performance.now() - started;
}

function limited(stopped: AbortSignal): AbortSignal {
  return AbortSignal.any([stopped, AbortSignal.timeout(LIMIT_MS)]);
}
