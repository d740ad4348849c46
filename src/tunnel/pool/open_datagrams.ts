/**
 * Which other end gets a UDP visitor.
 *
 * @module
 */
import type { DatagramReceiver, Opening, WireDatagrams } from "../../wire/types.ts";
import type { PeerLinks } from "./peer_links.ts";

/** Announces a UDP visitor at the other end with the fewest sessions; null when none has a datagram link. */
export function openDatagrams(
  peers: Iterable<PeerLinks>,
  opening: Opening,
  receiver: DatagramReceiver,
): WireDatagrams | null {
  let least: PeerLinks | null = null;
  for (const peer of peers) {
    if (peer.datagramLinks > 0 && (least === null || peer.sessions < least.sessions)) least = peer;
  }
  return least?.openDatagrams(opening, receiver) ?? null;
}
