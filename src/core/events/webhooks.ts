/**
 * Events for others: a signed POST for each, tried again for an hour, in order per webhook.
 *
 * @module
 */
import { toHex } from "../../bytes/hex.ts";
import { joinBytes } from "../../bytes/join.ts";
import { messageOf } from "../../errors.ts";
import { guardedRequest } from "../outbound/guarded_request.ts";
import type { CoreParts } from "../parts.ts";
import { num, type Row } from "../store/database.ts";
import { COLUMNS, eventJson, eventOf } from "./event_log.ts";

const LOOK_MS = 1_000;
/** Pauses before the second try and those after it: six tries within an hour. */
const PAUSES_MS: readonly number[] = [10_000, 60_000, 300_000, 900_000, 2_300_000];
const TRY_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024;
/** Webhooks that are called at once, and events for each of them in one look. */
const PARALLEL = 16;
const EVENTS = 100;
/** Deliveries and events that nobody waits for any more. */
const KEPT_MS = 7 * 86_400_000;
const HOUR_MS = 3_600_000;

/** Header of the signature: `t=<ms>,v1=<hex HMAC-SHA-256 over "<ms>.<body>" under the secret of the webhook>`. */
export const SIGNATURE_HEADER = "x-nodepass-signature";

/** The value of {@linkcode SIGNATURE_HEADER}. */
export async function signBody(secret: string, at: number, body: Uint8Array): Promise<string> {
  const encoder = new TextEncoder();
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), hmac, false, ["sign"]);
  const head = encoder.encode(`${at}.`);
  const signed = joinBytes([head, body], head.length + body.length);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, signed));
  return `t=${at},v1=${toHex(mac)}`;
}

/** Sends what is due, from now until the jobs are closed. */
export function startWebhooks(parts: CoreParts): void {
  const sender = new WebhookSender(parts);
  const due = async (): Promise<boolean> => (await sender.due()).length > 0;
  parts.jobs.every("webhooks", LOOK_MS, (signal) => sender.run(signal), { due });
  parts.jobs.every("old events", HOUR_MS, () => sender.tidy());
}

class WebhookSender {
  readonly #parts: CoreParts;

  constructor(parts: CoreParts) {
    this.#parts = parts;
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all((await this.due()).map((webhook) => this.#serve(webhook, signal)));
  }

  /** Webhooks that something is to be sent to now. */
  due(): Promise<Row[]> {
    const { db, runtime } = this.#parts;
    return db.query(
      `SELECT w.id, w.url, w.secret FROM webhooks w WHERE w.enabled = 1 AND EXISTS (
        SELECT 1 FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.next_attempt_at <= $1
      ) ORDER BY w.id LIMIT $2`,
      [Math.floor(runtime.clock.wall()), PARALLEL],
    );
  }

  async tidy(): Promise<void> {
    const { db, runtime } = this.#parts;
    const old = Math.floor(runtime.clock.wall()) - KEPT_MS;
    await db.exec("DELETE FROM events_outbox WHERE at < $1", [old]);
  }

  /** Sends to one webhook until one fails: those behind it wait, so that it sees them in order. */
  async #serve(webhook: Row, signal: AbortSignal): Promise<void> {
    const { db } = this.#parts;
    const rows = await db.query(
      `SELECT d.attempts, d.next_attempt_at, ${COLUMNS} FROM webhook_deliveries d JOIN events_outbox e ON e.seq = d.event_seq
      WHERE d.webhook_id = $1 AND d.next_attempt_at IS NOT NULL ORDER BY d.event_seq LIMIT $2`,
      [num(webhook.id), EVENTS],
    );
    for (const row of rows) {
      // The one in front waits for its next try: those behind it wait with it.
      if (signal.aborted || num(row.next_attempt_at) > this.#parts.runtime.clock.wall()) return;
      const failure = await this.#post(webhook, row, signal);
      if (signal.aborted) return;
      if (!await this.#note(num(webhook.id), row, failure)) return;
    }
  }

  /** Null, or why it did not arrive. */
  async #post({ url, secret }: Row, row: Row, signal: AbortSignal): Promise<string | null> {
    const { runtime, settings } = this.#parts;
    const event = eventOf(row);
    const body = new TextEncoder().encode(eventJson(event));
    try {
      const { status } = await guardedRequest({
        method: "POST",
        url: new URL(String(url)),
        headers: {
          "Content-Type": "application/json",
          "User-Agent": "nodepass-core",
          "x-nodepass-event": event.type,
          "x-nodepass-delivery": event.id,
          [SIGNATURE_HEADER]: await signBody(String(secret), Math.floor(runtime.clock.wall()), body),
        },
        ...{ body, signal, timeoutMs: TRY_MS, maxBytes: MAX_ANSWER_BYTES, allowPrivate: settings.allowPrivateNodes },
      }, runtime.dns);
      return status >= 200 && status < 300 ? null : `status ${status}`;
    } catch (error) {
      return messageOf(error);
    }
  }

  /** Whether the next event of this webhook may be sent. */
  async #note(id: number, row: Row, failure: string | null): Promise<boolean> {
    const { db, runtime: { clock }, logger, metrics } = this.#parts;
    const now = Math.floor(clock.wall());
    const attempts = num(row.attempts) + 1;
    const pause = failure === null ? undefined : PAUSES_MS[attempts - 1];
    await db.exec(
      `UPDATE webhook_deliveries SET attempts = $1, next_attempt_at = $2, delivered_at = $3, last_error = $4
      WHERE webhook_id = $5 AND event_seq = $6`,
      [
        attempts,
        pause === undefined ? null : now + pause,
        failure === null ? now : null,
        failure,
        id,
        num(row.seq),
      ],
    );
    const outcome = failure === null ? "delivered" : pause === undefined ? "given_up" : "failed";
    metrics.count("core_webhook_deliveries_total", 1, { outcome });
    if (outcome === "given_up") logger.warn("Webhook never took an event", { webhook: id, reason: failure ?? "" });
    return pause === undefined;
  }
}
