/**
 * The end of an instance: sessions may finish for a while, then they are cut.
 *
 * @module
 */
import type { TunnelContext } from "./context.ts";

/** How long cut sessions may take to let go of their sockets. */
const CUT_MS = 500;

/**
 * Waits up to `graceMs` for the last session to end, then cuts those that are left.
 *
 * @param onCut called before the cut, to give up what is not a session yet
 */
export async function drainSessions(context: TunnelContext, graceMs: number, onCut: () => void): Promise<void> {
  if (graceMs > 0 && await drainedWithin(context, graceMs)) return;
  context.ledger.cutAll();
  onCut();
  await drainedWithin(context, CUT_MS);
}

async function drainedWithin(context: TunnelContext, ms: number): Promise<boolean> {
  const { ledger, runtime } = context;
  if (ledger.tcp + ledger.udp === 0) return true;
  let drained = false;
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = runtime.clock.after(ms, resolve);
  await Promise.race([ledger.drained().then(() => drained = true), late]);
  timer.cancel();
  return drained;
}
