/**
 * What the main thread remembers of a server's clients: for the limit of clients, and for workers that start later.
 *
 * @module
 */
import type { PeerMessage } from "./messages.ts";

type Agreed = Extract<PeerMessage, { kind: "agreed" }>;
type Configured = Extract<PeerMessage, { kind: "configured" }>;

interface Client {
  /** The last two: links of the handshake before may be under way. */
  agreed: readonly Agreed[];
  configured: Configured | null;
  leaving: boolean;
  /** When the control channel went; null while it lives. */
  lostAt: number | null;
}

/** A client without control channel is remembered this long. */
const FORGET_MS = 60_000;

/** See the module. */
export class PeerHistory {
  readonly #clients = new Map<string, Client>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Why one more client cannot be served, or null. */
  refusal({ resumed, client }: Agreed, maxClients: number): string | null {
    const connected = [...this.#clients.values()].filter(({ lostAt }) => lostAt === null).length;
    return !(resumed && this.#clients.has(client)) && connected >= maxClients
      ? `the server takes ${maxClients} client${maxClients === 1 ? "" : "s"} at once`
      : null;
  }

  note(message: PeerMessage): void {
    if (message.kind === "agreed") return this.#agreed(message);
    if (message.kind === "gone") return this.#gone(message.worker);
    const client = this.#clients.get(message.client);
    if (client === undefined) return;
    switch (message.kind) {
      case "lost":
        if (message.token === client.agreed[0]?.token) client.lostAt = this.#now();
        return;
      case "leaving":
        client.leaving = true;
        return;
      case "configured":
        client.configured = message;
        return;
    }
  }

  /** What a worker has to hear that knows nothing. */
  list(): PeerMessage[] {
    this.#forget();
    return [...this.#clients].flatMap(([id, { agreed, configured, leaving, lostAt }]): PeerMessage[] => [
      ...agreed.toReversed(),
      ...(configured === null ? [] : [configured]),
      ...(leaving ? [{ kind: "leaving", client: id } as const] : []),
      ...(lostAt === null ? [] : [{ kind: "lost", client: id, token: agreed[0]!.token } as const]),
    ]);
  }

  #agreed(message: Agreed): void {
    this.#forget();
    const before = message.resumed ? this.#clients.get(message.client) : undefined;
    this.#clients.set(message.client, {
      agreed: [message, ...(before?.agreed ?? []).slice(0, 1)],
      configured: before?.configured ?? null,
      leaving: false,
      lostAt: null,
    });
  }

  #gone(worker: number): void {
    for (const client of this.#clients.values()) {
      if (client.agreed[0]?.home === worker) client.lostAt ??= this.#now();
    }
  }

  #forget(): void {
    for (const [id, { lostAt }] of this.#clients) {
      if (lostAt !== null && this.#now() - lostAt > FORGET_MS) this.#clients.delete(id);
    }
  }
}
