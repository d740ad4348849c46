/**
 * The end of an instance: sessions may finish for a while, then they are cut.
 *
 * @module
 */
import type { TunnelContext } from "./context.ts";
import type { Drained } from "./session_ledger.ts";

/** UDP says nothing when it ends: once only UDP sessions are left, they get this much longer. */
const UDP_MS = 1_000;
/** How long cut sessions may take to let go of their sockets. */
const CUT_MS = 500;

/**
 * Waits up to `graceMs` for the last session to end, then cuts those that are left.
 *
 * @param onCut called before the cut, to give up what is not a session yet
 */
export async function drainSessions(context: TunnelContext, graceMs: number, onCut: () => void): Promise<void> {
  const { ledger, runtime } = context;
  const end = runtime.clock.now() + graceMs;
  if (graceMs > 0 && await drainedWithin(context, graceMs, "tcp")) {
    const left = Math.min(UDP_MS, end - runtime.clock.now());
    if (await drainedWithin(context, left, "all")) return;
  }
  ledger.cutAll();
  onCut();
  await drainedWithin(context, CUT_MS, "all");
}

async function drainedWithin({ ledger, runtime }: TunnelContext, ms: number, which: Drained): Promise<boolean> {
  let drained = false;
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = runtime.clock.after(ms, resolve);
  await Promise.race([ledger.drained(which).then(() => drained = true), late]);
  timer.cancel();
  return drained;
}
