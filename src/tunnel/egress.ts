/**
 * The end that dials: what the other end announces becomes a connection to a target.
 *
 * @module
 */
import { messageOf } from "../errors.ts";
import { formatAddress } from "../address/ip.ts";
import type { Conn } from "../runtime/types.ts";
import type { DatagramReceiver, IncomingSession, WireDatagrams, WireSession } from "../wire/types.ts";
import { carry, SocketReceiver } from "./carry.ts";
import type { TunnelContext } from "./context.ts";
import { logSessionEnd, logSessionStart } from "./entry_log.ts";
import type { Session } from "./session_ledger.ts";
import type { Targets } from "./targets.ts";
import { openUdpTarget } from "./udp_egress.ts";

/** Serves announced sessions. */
export class Egress {
  readonly #context: TunnelContext;
  readonly #targets: Targets;

  readonly #cutDials: AbortSignal;

  /** @param cutDials ends dials under way, at a shutdown */
  constructor(context: TunnelContext, targets: Targets, cutDials: AbortSignal) {
    this.#context = context;
    this.#targets = targets;
    this.#cutDials = cutDials;
  }

  /** A visitor was announced on a link: dials a target and carries the session. */
  open(wire: IncomingSession): void {
    const { config, ledger, visitorLog } = this.#context;
    if (!config.tcp) {
      wire.abort("dial");
      return;
    }
    const visitor = formatAddress(wire.opening.visitor);
    const session = ledger.open("tcp", visitor);
    if (session === null) {
      wire.abort("slot");
      return;
    }
    session.cut = () => wire.abort("cut");
    const dial = this.#targets.dial(wire.opening.visitor, session, this.#cutDials);
    // Before the receiver sees the rejection, so that the other end hears "dial".
    dial.catch((error) => {
      ledger.reject("dial");
      visitorLog.warn("Cannot serve visitor", { visitor, reason: messageOf(error) });
      wire.abort("dial");
    });
    const receiver = new SocketReceiver(dial, session, this.#context.outbound);
    wire.attach(receiver);
    void this.#carry(wire, receiver, session, dial);
  }

  /**
   * A UDP visitor was announced. Null refuses it.
   *
   * @param options `expires`: this end ends the session after silence, because the wire does not
   */
  openDatagrams(
    wire: WireDatagrams,
    { expires = false }: { readonly expires?: boolean } = {},
  ): DatagramReceiver | null {
    const { config, ledger, sweeper } = this.#context;
    if (!config.udp) return null;
    const session = ledger.open("udp", formatAddress(wire.opening.visitor));
    if (session === null) return null;
    const path = openUdpTarget(
      this.#context,
      this.#targets,
      wire.opening.visitor,
      session,
      (bytes) => wire.send(bytes),
    );
    const expiryMs = config.readMs > 0 ? config.readMs : config.settings.udpSessionMs;
    const unwatch = expires ? sweeper.watch(session.meter, expiryMs, () => session.cut()) : null;
    const end = () => {
      unwatch?.();
      path.close();
      session.close();
    };
    session.cut = () => {
      end();
      wire.close();
    };
    return { data: (bytes) => path.send(bytes), closed: end };
  }

  async #carry(wire: WireSession, receiver: SocketReceiver, session: Session, dial: Promise<Conn>): Promise<void> {
    logSessionStart(this.#context, session);
    let reason: string = "dial";
    try {
      const target = await dial;
      reason = await carry(this.#context, target, wire, receiver, session) ?? "done";
    } catch {
      // Said where the dial failed.
    } finally {
      session.close();
      logSessionEnd(this.#context, session, reason);
    }
  }
}
