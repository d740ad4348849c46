/**
 * The crew as one worker sees it: everything goes through the main thread, which puts it in one order for all.
 *
 * @module
 */
import type { HostPort } from "../../config/types.ts";
import { NodePassError } from "../../errors.ts";
import type { ServerIdentity } from "../../wire/secure/identity.ts";
import { RootSecret } from "../../wire/secure/root_secret.ts";
import type { Claim, Crew } from "./crew.ts";
import type { FromWorker, PeerMessage, PlainError, WorkerStart } from "./messages.ts";
import { SharedSlots } from "./shared_slots.ts";

/** One call that the main thread answers. */
interface Call {
  resolve(value: never): void;
  reject(error: unknown): void;
}

/** See the module. */
export class CrewMember implements Crew {
  readonly index: number;
  readonly size: number;
  readonly root: RootSecret | null;
  readonly identity: ServerIdentity | null;
  readonly slots: SharedSlots | null;
  readonly inbound: SharedArrayBuffer | null;
  readonly outbound: SharedArrayBuffer | null;
  readonly clockOffsetMs: number;
  readonly #send: (message: FromWorker) => void;
  readonly #calls = new Map<number, Call>();
  /** What came before anybody subscribed. */
  #early: PeerMessage[];
  #handler: ((message: PeerMessage) => void) | null = null;
  #nextCall = 1;

  /** @param now of this thread's clock */
  constructor(start: WorkerStart, send: (message: FromWorker) => void, now: number) {
    this.#send = send;
    this.#early = [...start.history];
    this.index = start.index;
    this.size = start.size;
    this.root = start.root === null ? null : new RootSecret(start.root);
    this.identity = start.identity;
    this.slots = start.slots === null ? null : new SharedSlots(start.slots, start.index, start.config.slots);
    this.inbound = start.inbound;
    this.outbound = start.outbound;
    this.clockOffsetMs = start.now - now;
  }

  claim(claim: Claim): Promise<readonly HostPort[]> {
    return this.#call((call) => ({ kind: "claim", call, claim }));
  }

  post(message: PeerMessage): void {
    this.#send({ kind: "peer", message, call: null });
  }

  publish(message: PeerMessage): Promise<string | null> {
    return this.#call((call) => ({ kind: "peer", message, call }));
  }

  subscribe(handler: (message: PeerMessage) => void): void {
    this.#handler = handler;
    for (const message of this.#early.splice(0)) handler(message);
  }

  /** Another worker said something. */
  heard(message: PeerMessage): void {
    if (this.#handler === null) this.#early.push(message);
    else this.#handler(message);
  }

  /** The main thread answered. */
  settled(call: number, value: unknown): void {
    this.#calls.get(call)?.resolve(value as never);
    this.#calls.delete(call);
  }

  /** The main thread answered that it cannot be done. */
  refused(call: number, { code, message }: PlainError): void {
    this.#calls.get(call)?.reject(new NodePassError(code, message));
    this.#calls.delete(call);
  }

  #call<T>(message: (call: number) => FromWorker): Promise<T> {
    const call = this.#nextCall++;
    return new Promise<T>((resolve, reject) => {
      this.#calls.set(call, { resolve, reject });
      this.#send(message(call));
    });
  }
}
