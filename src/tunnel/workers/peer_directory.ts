/**
 * The clients of a server whose workers share the tunnel port: a client's control channel is at one worker (its home),
 * its links are wherever the system put them, and every worker can verify them and resume the client.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import type { Clock, Timer } from "../../runtime/types.ts";
import type { Agreement } from "../../wire/secure/agreement.ts";
import { encodeDemand } from "../../wire/secure/frames.ts";
import { counterMemory, SharedCounterWindow } from "../../wire/secure/shared_counter_window.ts";
import type { PeerControl, ServerPeer } from "../server_peer.ts";
import type { Crew } from "./crew.ts";
import { boardMemory, LinkBoard } from "./link_board.ts";
import type { PeerMessage } from "./messages.ts";

/** Until each worker has a link for datagrams, right after a handshake. */
const EQUIP_EVERY_MS = 50;
const EQUIP_ROUNDS = 100;

/** The server's part. */
export interface PeerDirectoryOwner {
  readonly clock: Clock;
  readonly maxLinks: number;
  /** How many workers, from the first on, need a link for datagrams of each client. */
  readonly datagramWorkers: number;
  peer(id: string): ServerPeer | undefined;
  /** A client of another worker. */
  create(id: string): ServerPeer;
  peers(): Iterable<ServerPeer>;
  /** Its links may take visitors. */
  connected(peer: ServerPeer): void;
  /** They may not any more. */
  disconnected(peer: ServerPeer): void;
  configure(peer: ServerPeer, minLinks: number, delaysSmallWrites: boolean): void;
  vouch(host: string): () => void;
}

/** What the workers share about one client. */
interface Shared {
  readonly token: string;
  readonly home: number;
  readonly board: LinkBoard;
  /** Ends the better standing of the client's address here. */
  readonly release: () => void;
}

type Agreed = Extract<PeerMessage, { kind: "agreed" }>;

/** See the module. */
export class PeerDirectory {
  readonly #crew: Crew;
  readonly #owner: PeerDirectoryOwner;
  readonly #shared = new Map<string, Shared>();
  readonly #equipping = new Map<string, Timer>();
  #nextToken = 1;

  constructor(crew: Crew, owner: PeerDirectoryOwner) {
    this.#crew = crew;
    this.#owner = owner;
    crew.subscribe((message) => this.#heard(message));
  }

  /** A client shook hands here. Resolves once every worker can verify its links, with null or a reason to refuse it. */
  async agree(peer: ServerPeer, agreement: Agreement, address: string, host: string): Promise<string | null> {
    const { index, size } = this.#crew;
    const { clientId, resumed, linkKey, resumeSecret } = agreement;
    const message: Agreed = {
      kind: "agreed",
      client: clientId,
      token: `${index}.${this.#nextToken++}`,
      home: index,
      resumed,
      address,
      host,
      linkKey,
      resumeSecret,
      counters: counterMemory(),
      board: this.#shared.get(clientId)?.board.memory ?? boardMemory(size),
    };
    const refusal = await this.#crew.publish(message);
    if (refusal === null) this.#take(peer, message);
    return refusal;
  }

  /** The control channel that a client had here is gone. */
  lost(peer: ServerPeer): void {
    const shared = this.#shared.get(peer.id);
    if (shared?.home !== this.#crew.index) return;
    this.#crew.post({ kind: "lost", client: peer.id, token: shared.token });
    shared.release();
  }

  /** Passes on what a client said on its control channel here. */
  tell(message: Extract<PeerMessage, { kind: "leaving" | "configured" | "cancelled" }>): void {
    this.#crew.post(message);
  }

  /** The number of its links here changed. */
  changed(peer: ServerPeer): void {
    this.#shared.get(peer.id)?.board.write(this.#crew.index, peer.links.ready, peer.links.datagramLinks);
  }

  /** Visitors here wait for links of this client. */
  wanted(peer: ServerPeer, links: number): void {
    const { index } = this.#crew;
    if (this.#shared.get(peer.id)?.home === index) this.#demand(peer, links, index);
    else this.#crew.post({ kind: "wanted", client: peer.id, links, worker: index });
  }

  /** Sees to it that every worker keeps a link for datagrams of each client. */
  tick(): void {
    for (const peer of this.#owner.peers()) this.#equip(peer);
  }

  forget(peer: ServerPeer): void {
    this.#shared.get(peer.id)?.release();
    this.#shared.delete(peer.id);
  }

  close(): void {
    for (const timer of this.#equipping.values()) timer.cancel();
    this.#equipping.clear();
  }

  #take(peer: ServerPeer, message: Agreed): void {
    this.#shared.get(message.client)?.release();
    const board = new LinkBoard(message.board);
    const { token, home } = message;
    this.#shared.set(message.client, { token, home, board, release: this.#owner.vouch(message.host) });
    peer.agree(message, new SharedCounterWindow(message.counters));
    this.changed(peer);
    if (home === this.#crew.index) this.#equipSoon(peer);
  }

  #heard(message: PeerMessage): void {
    if (message.kind === "gone") return this.#gone(message.worker);
    if (message.kind === "agreed") return this.#agreedElsewhere(message);
    const peer = this.#owner.peer(message.client);
    const shared = this.#shared.get(message.client);
    if (peer === undefined || shared === undefined) return;
    const isHome = shared.home === this.#crew.index;
    switch (message.kind) {
      case "lost":
        if (message.token === shared.token) this.#disconnect(peer, shared);
        return;
      case "leaving":
        peer.leaving = true;
        return this.#owner.disconnected(peer);
      case "configured":
        return this.#owner.configure(peer, message.minLinks, message.delaysSmallWrites);
      case "cancelled":
        return peer.links.cancelled(message.link, message.sequence);
      case "send":
        if (isHome) peer.control?.send(message.frame);
        return;
      case "wanted":
        if (isHome) this.#demand(peer, message.links, message.worker);
        return;
      case "shed":
        if (message.worker === this.#crew.index) peer.links.shed();
        return;
    }
  }

  #agreedElsewhere(message: Agreed): void {
    const peer = this.#owner.peer(message.client) ?? this.#owner.create(message.client);
    const replaced = peer.control;
    peer.control = this.#remoteControl(message.client);
    peer.controlLostAt = null;
    peer.leaving = false;
    peer.address = message.address;
    replaced?.fail(new NodePassError("closed", "Replaced by a newer control channel of the same client"));
    this.#take(peer, message);
    this.#owner.connected(peer);
  }

  #disconnect(peer: ServerPeer, shared: Shared): void {
    peer.control = null;
    peer.controlLostAt = this.#owner.clock.now();
    shared.release();
    this.#owner.disconnected(peer);
  }

  #gone(worker: number): void {
    for (const peer of this.#owner.peers()) {
      const shared = this.#shared.get(peer.id);
      if (shared === undefined) continue;
      shared.board.write(worker, 0, 0);
      if (shared.home === worker && peer.control !== null) this.#disconnect(peer, shared);
    }
  }

  /** What is sent to a client from a worker that has not its control channel. */
  #remoteControl(client: string): PeerControl {
    return {
      pingMs: 0,
      local: false,
      send: (frame) => this.#crew.post({ kind: "send", client, frame }),
      fail: () => {},
      close: () => Promise.resolve(),
    };
  }

  /** Nobody can choose where a new link arrives: as many are asked for as likely bring one to `worker`. */
  #demand(peer: ServerPeer, links: number, worker: number): void {
    const board = this.#shared.get(peer.id)!.board;
    const { maxLinks } = this.#owner;
    const wanted = board.ready + links * this.#crew.size;
    const richest = board.richest;
    // Those that wait where nobody needs them may arrive at the right place when they are opened anew.
    if (board.readyAt(worker) === 0 && board.readyAt(richest) > (wanted > maxLinks ? 0 : 1)) {
      if (richest === this.#crew.index) peer.links.shed();
      else this.#crew.post({ kind: "shed", client: peer.id, worker: richest });
    }
    peer.control?.send(encodeDemand(Math.min(wanted, maxLinks)));
  }

  #equipSoon(peer: ServerPeer): void {
    let rounds = 0;
    this.#equipping.get(peer.id)?.cancel();
    const timer = this.#owner.clock.every(EQUIP_EVERY_MS, () => {
      if (this.#equip(peer) && ++rounds < EQUIP_ROUNDS) return;
      timer.cancel();
      this.#equipping.delete(peer.id);
    });
    this.#equipping.set(peer.id, timer);
  }

  /** Asks a client whose home this is for more links while a worker has none; false when there is nothing to ask for. */
  #equip(peer: ServerPeer): boolean {
    const shared = this.#shared.get(peer.id);
    if (shared?.home !== this.#crew.index || peer.control === null || peer.leaving) return false;
    const { board } = shared;
    let without = 0;
    for (let worker = 0; worker < this.#owner.datagramWorkers; worker++) {
      if (board.datagramsAt(worker) === 0) without++;
    }
    if (without === 0) return false;
    const have = board.datagrams;
    // A client that serves UDP opens the first ones by itself.
    const most = 8 * (this.#crew.size + 1);
    if (have > 0 && have < most) peer.control.send(encodeDemand(0, have + without));
    return have < most;
  }
}
