/**
 * Both ends of a session as the tunnel sees them, on connections in memory and a clock that stands still.
 *
 * @module
 */
import { NodePassError } from "../../../src/errors.ts";
import type { ClientConfig } from "../../../src/config/types.ts";
import type { Conn, ConnectOptions, Runtime } from "../../../src/runtime/types.ts";
import { createContext, type OwnedContext } from "../../../src/tunnel/create_context.ts";
import { Egress } from "../../../src/tunnel/egress.ts";
import { Ingress } from "../../../src/tunnel/ingress.ts";
import { Matchmaker } from "../../../src/tunnel/pool/matchmaker.ts";
import { replaceSession } from "../../../src/tunnel/pool/replace_session.ts";
import { PeerLinks, type PeerLinksEvents } from "../../../src/tunnel/pool/peer_links.ts";
import type { Session } from "../../../src/tunnel/session_ledger.ts";
import { Targets } from "../../../src/tunnel/targets.ts";
import { frameEnd } from "../../../src/wire/secure/frame_end.ts";
import type { FrameLink } from "../../../src/wire/secure/frame_link.ts";
import { deepEqual, equal } from "../../harness.ts";
import { FakeClock } from "../../fake_clock.ts";
import { type MemoryConn, memoryPair } from "../../memory_conn.ts";
import { linkOn, type RunningLink, settle } from "../wire/frame_link_fixture.ts";
import { forwardConfig, LinesLogger, runtime as realRuntime } from "./forward_fixture.ts";

/** How long a visitor waits for a link. */
export const POOL_GET_MS = 5_000;

/** What every side has: a clock, counters, links. */
abstract class Side {
  readonly clock: FakeClock = new FakeClock();
  readonly owned: OwnedContext<ClientConfig>;
  readonly links: PeerLinks;
  /** Our ends of the links, in the order of `addLink`. */
  readonly conns: MemoryConn[] = [];

  constructor(end: "ingress" | "egress", runtime: Partial<Runtime>, changes: Partial<ClientConfig>) {
    const target = { host: "192.0.2.1", port: 80 };
    const used: Runtime = { ...realRuntime, clock: this.clock, ...runtime };
    this.owned = createContext(forwardConfig([target], changes), used, new LinesLogger());
    const options = {
      end,
      maxBufferBytes: 65_536,
      acknowledge: false,
      minReady: 1,
      maxReady: 64,
      surplusMs: 60_000,
      now: () => this.clock.now(),
      after: (ms: number, run: () => void) => this.clock.after(ms, run),
      soon: (run: () => void) => this.clock.soon(run),
      events: this.events(),
    };
    this.links = new PeerLinks(options);
  }

  protected abstract events(): PeerLinksEvents;

  /** A link that is ready; nobody is at its other end yet. */
  addLink(): MemoryConn {
    const [near, far] = memoryPair();
    this.conns.push(near);
    this.links.add(near, this.conns.length);
    return far;
  }

  /** The types of the frames that went out on a link. */
  framesOn(link: number): number[] {
    const types: number[] = [];
    for (const bytes of this.conns[link]!.sent) {
      for (let at = 0, end = 0; (end = frameEnd(bytes, at, bytes.length, bytes.length)) > 0; at = end) {
        types.push(bytes[at]!);
      }
    }
    return types;
  }

  /** Moves the time forward, with the coarse timers of the links. */
  async pass(ms: number, stepMs: number = ms): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      await this.clock.advanceSteps(Math.min(left, stepMs));
      this.links.tick(this.clock.now(), null);
      await settle();
    }
  }

  /** Ends everything and checks that nothing of it stays. */
  async end(): Promise<void> {
    this.links.close();
    await settle();
    const { ledger } = this.owned.context;
    deepEqual([ledger.tcp, this.links.total, this.links.busy], [0, 0, 0]);
    this.owned.close();
    equal(this.clock.pending, 0);
  }
}

/** A visitor at the door. */
export interface Visit {
  /** The visitor's own end. */
  readonly visitor: MemoryConn;
  readonly session: Session;
  /** Why the session ended. */
  readonly ended: Promise<string | void>;
}

/** The end where visitors arrive. */
export class IngressSide extends Side {
  readonly matchmaker: Matchmaker<FrameLink>;
  readonly #ingress: Ingress;

  constructor(changes: Partial<ClientConfig> = {}) {
    super("ingress", {}, changes);
    this.matchmaker = new Matchmaker(this.clock, POOL_GET_MS, () => {});
    this.#ingress = new Ingress(this.owned.context, this.matchmaker, () => null);
    this.matchmaker.add(this.links);
  }

  /** A link with somebody at its other end. */
  addLiveLink(): RunningLink {
    return linkOn(this.addLink(), "egress", this.clock);
  }

  visit(): Visit {
    const [visitor, door] = memoryPair();
    const session = this.owned.context.ledger.open("tcp", "192.0.2.7:5555");
    if (session === null) throw new Error("no slot");
    const ended = (async () => {
      try {
        return await this.#ingress.handlers.tcp(door, session);
      } finally {
        session.close();
      }
    })();
    return { visitor, session, ended };
  }

  protected override events(): PeerLinksEvents {
    return {
      opened: () => {},
      openedDatagrams: () => null,
      orphaned: (session) => void replaceSession(this.matchmaker, session),
      cancel: () => {},
      changed: () => this.matchmaker?.offer(),
      dropped: () => {},
      lost: () => {},
    };
  }
}

/** One dial that has not been answered. */
export interface Dial {
  readonly options: ConnectOptions;
  /** The target's end of the connection that it becomes. */
  accept(): MemoryConn;
  fail(error: NodePassError): void;
}

/** The end that dials. */
export class EgressSide extends Side {
  /** Dials under way, in order. */
  readonly dials: Dial[];
  readonly cutDials: AbortController = new AbortController();
  readonly #egress: Egress;

  constructor(changes: Partial<ClientConfig> = {}) {
    const dials: Dial[] = [];
    const connect = (options: ConnectOptions): Promise<Conn> => dialled(options, dials);
    super("egress", { net: { ...realRuntime.net, connect } }, changes);
    this.dials = dials;
    const { context } = this.owned;
    this.#egress = new Egress(context, new Targets(context), this.cutDials.signal);
  }

  /** A link with somebody at its other end who announces sessions. */
  addLiveLink(): RunningLink {
    return linkOn(this.addLink(), "ingress", this.clock);
  }

  protected override events(): PeerLinksEvents {
    return {
      opened: (session) => this.#egress.open(session),
      openedDatagrams: () => null,
      orphaned: () => {},
      cancel: () => {},
      changed: () => {},
      dropped: () => {},
      lost: () => {},
    };
  }
}

function dialled(options: ConnectOptions, dials: Dial[]): Promise<Conn> {
  return new Promise((resolve, reject) => {
    options.signal?.addEventListener("abort", () => reject(new NodePassError("closed", "Dial was cut")));
    dials.push({
      options,
      accept() {
        const [near, far] = memoryPair();
        resolve(near);
        return far;
      },
      fail: reject,
    });
  });
}
