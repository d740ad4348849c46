/**
 * A listener whose connections become TLS only when the one who accepts them says so.
 *
 * @module
 */
import { formatAddress } from "../../address/ip.ts";
import { toNodePassError } from "../error_map.ts";
import type { Listener, ListenOptions, UpgradableConn } from "../types.ts";
import { AcceptQueue } from "./accept_queue.ts";
import { listenerOf } from "./net.ts";
import { listenSockets, serverAddress } from "./sockets.ts";
import { NodeUpgradableConn } from "./upgradable_conn.ts";

/** Listens; see `Tls.listenUpgradable`. */
export async function listenUpgradable(options: ListenOptions): Promise<Listener<UpgradableConn>> {
  const queue = new AcceptQueue<UpgradableConn>();
  try {
    const server = await listenSockets(options, (socket) => queue.push(new NodeUpgradableConn(socket)));
    return listenerOf(server, queue, `Cannot accept on ${formatAddress(serverAddress(server))}`);
  } catch (error) {
    throw toNodePassError(error, `Cannot listen on ${formatAddress(options)}`);
  }
}
