/**
 * Requests to providers: fixed hosts, little time, few bytes, and no word of keys in what goes wrong.
 *
 * @module
 */
import { messageOf } from "../../errors.ts";
import { parseJson } from "../contract/json.ts";
import { guardedRequest } from "../outbound/guarded_request.ts";
import type { Clock, Runtime } from "../../runtime/types.ts";

const TIMEOUT_MS = 20_000;
const MAX_WINDOW_MS = 86_400_000;

/** Where requests go. */
export interface AskOptions {
  readonly runtime: Pick<Runtime, "clock" | "dns">;
  /** Start of the URL instead of the provider's own, for tests: it may be private. */
  readonly base?: string;
}

/** One request. */
export interface Question {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON of a POST; a GET without. */
  readonly body?: unknown;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** What came back, or why nothing did. */
export type Reply =
  | { readonly status: number; readonly value: unknown; header(name: string): string | undefined }
  | { readonly trouble: string };

/**
 * Asks. An answer that is not JSON has an undefined value.
 *
 * @throws whatever the signal was aborted with
 */
export async function ask(
  { url, headers = {}, body, maxBytes, signal }: Question,
  { runtime, base }: AskOptions,
): Promise<Reply> {
  try {
    const answer = await guardedRequest({
      method: body === undefined ? "GET" : "POST",
      url: new URL(url),
      headers: {
        ...{ Accept: "application/json", "User-Agent": "nodepass-core" },
        ...body === undefined ? {} : { "Content-Type": "application/json" },
        ...headers,
      },
      ...body === undefined ? {} : { body: new TextEncoder().encode(JSON.stringify(body)) },
      ...{ timeoutMs: TIMEOUT_MS, maxBytes, allowPrivate: base !== undefined, signal },
    }, runtime.dns);
    return {
      status: answer.status,
      value: valueOf(answer.body),
      header: (name) => {
        const value = answer.headers[name];
        return typeof value === "string" ? value : undefined;
      },
    };
  } catch (error) {
    signal.throwIfAborted();
    return { trouble: messageOf(error) };
  }
}

function valueOf(body: Uint8Array): unknown {
  try {
    return parseJson(body);
  } catch {
    return undefined;
  }
}

/** A number of seconds from a header, in milliseconds; a day at most. */
export function secondsOf(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,9}$/.test(header) ? Math.min(Number(header) * 1000, MAX_WINDOW_MS) : undefined;
}

/** How long `Retry-After` asks to wait, which may be a date; a day at most. */
export function retryAfterOf(header: string | undefined, clock: Clock): number | undefined {
  const seconds = secondsOf(header);
  if (seconds !== undefined || header === undefined) return seconds;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.min(Math.max(0, at - clock.wall()), MAX_WINDOW_MS);
}
