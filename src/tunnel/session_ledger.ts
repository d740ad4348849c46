/**
 * Every live session of an instance: counted, listed, limited, ended.
 *
 * @module
 */
import { Meter, type Protocol, Traffic } from "../relay/meter.ts";
import type { Clock } from "../runtime/types.ts";
import type { Rejection, SessionInfo } from "./types.ts";
import type { Crew } from "./workers/crew.ts";
import type { SharedSlots } from "./workers/shared_slots.ts";

/** One live session. Whoever opened it calls `close` on every path out. */
export class Session {
  readonly id: string;
  readonly protocol: Protocol;
  readonly visitor: string;
  readonly meter: Meter;
  readonly startedAt: number;
  target = "";
  /** Cuts the session; set by the function that owns its sockets. */
  cut: () => void = () => {};
  /** Called once when the session closes; set by whoever counts it elsewhere. */
  onClose: (() => void) | null = null;
  readonly #ledger: SessionLedger;

  constructor(ledger: SessionLedger, id: string, protocol: Protocol, visitor: string, startedAt: number) {
    this.#ledger = ledger;
    this.id = id;
    this.protocol = protocol;
    this.visitor = visitor;
    this.startedAt = startedAt;
    this.meter = new Meter(ledger.traffic, protocol);
  }

  /** Frees the slot. Idempotent. */
  close(): void {
    this.#ledger.remove(this);
  }
}

/** Which sessions a drain waits for. */
export type Drained = "tcp" | "all";

/** The sessions of one instance and what was turned away. */
export class SessionLedger {
  readonly traffic: Traffic = new Traffic();
  readonly rejections: Partial<Record<Rejection, number>> = {};
  readonly #live = new Map<string, Session>();
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #slots: SharedSlots | null;
  /** Makes the ids of one worker different from those of the others. */
  readonly #prefix: string;
  #next = 1;
  #tcp = 0;
  #tcpOpened = 0;
  #udp = 0;
  #waiting: { readonly which: Drained; readonly wake: () => void }[] = [];

  /**
   * @param limit sessions at once, 0 = unlimited
   * @param crew the workers that share the limit
   */
  constructor(clock: Clock, limit: number, crew: Pick<Crew, "index" | "slots"> | null = null) {
    this.#clock = clock;
    this.#slots = crew?.slots ?? null;
    this.#limit = this.#slots === null ? limit : 0;
    this.#prefix = crew === null ? "" : `${crew.index + 1}-`;
  }

  /** Sessions since the start. */
  get opened(): number {
    return this.#next - 1;
  }

  /** TCP sessions since the start. */
  get tcpOpened(): number {
    return this.#tcpOpened;
  }

  get tcp(): number {
    return this.#tcp;
  }

  get udp(): number {
    return this.#udp;
  }

  /** Whether the next session would be one too many. */
  get full(): boolean {
    return this.#slots === null ? this.#limit > 0 && this.#live.size >= this.#limit : this.#slots.full;
  }

  /** A new session, or null (counted) when the `slot` limit is reached. */
  open(protocol: Protocol, visitor: string): Session | null {
    if ((this.#limit > 0 && this.#live.size >= this.#limit) || this.#slots?.take() === false) {
      this.reject("slot");
      return null;
    }
    const session = new Session(this, this.#prefix + this.#next++, protocol, visitor, this.#clock.now());
    this.#live.set(session.id, session);
    if (protocol === "tcp") {
      this.#tcp++;
      this.#tcpOpened++;
    } else this.#udp++;
    return session;
  }

  /** Counts a visitor that was turned away. */
  reject(reason: Rejection): void {
    this.rejections[reason] = (this.rejections[reason] ?? 0) + 1;
  }

  /** Called by `Session.close`. */
  remove(session: Session): void {
    if (!this.#live.delete(session.id)) return;
    this.#slots?.give();
    if (session.protocol === "tcp") this.#tcp--;
    else this.#udp--;
    session.onClose?.();
    if (this.#waiting.length > 0) this.#wakeDrained();
  }

  list(): SessionInfo[] {
    const now = this.#clock.now();
    return [...this.#live.values()].map((session) => ({
      id: session.id,
      protocol: session.protocol,
      visitor: session.visitor,
      target: session.target,
      ageMs: Math.round(now - session.startedAt),
      rx: session.meter.rx,
      tx: session.meter.tx,
    }));
  }

  /** Ends one session; false when there is none with this id. */
  cut(id: string): boolean {
    const session = this.#live.get(id);
    session?.cut();
    return session !== undefined;
  }

  /** Ends all of them. */
  cutAll(): void {
    for (const session of [...this.#live.values()]) session.cut();
  }

  /** Resolves when no session is left: no TCP one, or none at all. */
  drained(which: Drained = "all"): Promise<void> {
    if (this.#isDrained(which)) return Promise.resolve();
    return new Promise((wake) => this.#waiting.push({ which, wake }));
  }

  #isDrained(which: Drained): boolean {
    return which === "tcp" ? this.#tcp === 0 : this.#live.size === 0;
  }

  #wakeDrained(): void {
    const done = this.#waiting.filter(({ which }) => this.#isDrained(which));
    this.#waiting = this.#waiting.filter((waiting) => !done.includes(waiting));
    for (const { wake } of done) wake();
  }
}
