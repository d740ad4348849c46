/**
 * Byte counters: one set per instance, one meter per session that also feeds it.
 *
 * @module
 */

/** Protocol of a session. */
export type Protocol = "tcp" | "udp";

/** Totals of one instance since it started, in bytes. */
export class Traffic {
  tcpRx = 0;
  tcpTx = 0;
  udpRx = 0;
  udpTx = 0;
}

/**
 * Counts one session, at the socket of its visitor or target and nowhere else.
 *
 * `rx` is what was received from that socket, `tx` what was sent to it.
 */
export class Meter {
  rx = 0;
  tx = 0;
  readonly #totals: Traffic;
  readonly #tcp: boolean;

  constructor(totals: Traffic, protocol: Protocol) {
    this.#totals = totals;
    this.#tcp = protocol === "tcp";
  }

  received(bytes: number): void {
    this.rx += bytes;
    if (this.#tcp) this.#totals.tcpRx += bytes;
    else this.#totals.udpRx += bytes;
  }

  sent(bytes: number): void {
    this.tx += bytes;
    if (this.#tcp) this.#totals.tcpTx += bytes;
    else this.#totals.udpTx += bytes;
  }
}
