/**
 * `/healthz`, `/readyz` and `/metrics`: for machines that watch.
 *
 * @module
 */
import type { AdminTokens } from "../admin/tokens.ts";
import { Failure } from "../failure.ts";
import type { CoreParts } from "../parts.ts";
import { answerJson, type CoreRoute } from "../request.ts";
import { guarded } from "./admin/call.ts";

/** Everybody may ask: the stores are asked no more often than this. */
const BELIEVED_MS = 1_000;
const LIMIT_MS = 2_000;
const RETRY_MS = 1_000;

/** What these routes need. */
export interface HealthDeps {
  readonly tokens: Pick<AdminTokens, "authenticate">;
}

interface Ready {
  readonly database: boolean;
  readonly ephemeral: boolean;
}

/** Routes of health and figures: figures need a token with the scope `read`, the others nothing. */
export function healthRoutes(
  parts: Pick<CoreParts, "runtime" | "db" | "ephemeral" | "metrics">,
  { tokens }: HealthDeps,
): readonly CoreRoute[] {
  const { runtime: { clock }, db, ephemeral, metrics } = parts;
  let asked: { readonly at: number; readonly ready: Promise<Ready> } | null = null;
  const within = (answer: Promise<boolean>): Promise<boolean> =>
    new Promise((resolve) => {
      const timer = clock.after(LIMIT_MS, () => resolve(false));
      answer.catch(() => false).then((value) => {
        timer.cancel();
        resolve(value);
      });
    });
  const ask = async (): Promise<Ready> => {
    const [database, kept] = await Promise.all([
      within(db.healthy()),
      within(ephemeral.get("online:ready").then(() => true)),
    ]);
    return { database, ephemeral: kept };
  };
  const ready = (): Promise<Ready> => {
    if (asked === null || clock.now() - asked.at >= BELIEVED_MS) asked = { at: clock.now(), ready: ask() };
    return asked.ready;
  };
  const everybody = { method: "GET", access: "public", admit: () => {} } as const;

  return [
    { ...everybody, path: "/healthz", handle: () => answerJson({ status: "ok" }) },
    {
      ...everybody,
      path: "/readyz",
      async handle() {
        const { database, ephemeral: kept } = await ready();
        if (database && kept) return answerJson({ status: "ready" });
        const which = database ? "The store of online users" : "The database";
        throw new Failure("STORE_UNAVAILABLE", `${which} does not answer`, { retryAfterMs: RETRY_MS });
      },
    },
    ...guarded(parts, tokens, [
      ["GET", "/metrics", "read", () =>
        new Response(metrics.text(), {
          headers: { "Content-Type": "text/plain; version=0.0.4; charset=utf-8", "Cache-Control": "no-store" },
        })],
    ]),
  ];
}
