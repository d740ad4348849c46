/**
 * The tunnel port of the secure wire: complete openings are handed on.
 *
 * @module
 */
import type { ServerConfig } from "../../config/types.ts";
import { NodePassError } from "../../errors.ts";
import type { ServerCertificate } from "../../runtime/types.ts";
import { readOpening } from "../../wire/secure/opening.ts";
import type { TunnelContext } from "../context.ts";
import { tunnelClaim } from "../workers/claims.ts";
import type { Arrival } from "./arrival.ts";
import { FrontDoor } from "./front_door.ts";
import { type ArrivingConn, TunnelPort } from "./tunnel_port.ts";
import type { AcceptHandlers, Acceptor } from "./types.ts";

/**
 * Listens on the tunnel address and hands complete openings on.
 *
 * @param certificate the derived leaf for `tls=1`; null otherwise
 * @throws {NodePassError} the address cannot be bound, or the certificate files are no good
 */
export async function openAcceptor(
  context: TunnelContext<ServerConfig>,
  certificate: ServerCertificate | null,
  handlers: AcceptHandlers,
): Promise<Acceptor> {
  const { runtime, config, crew } = context;
  const [tunnel = config.tunnel] = await crew?.claim(tunnelClaim(config)) ?? [];
  const port = await TunnelPort.open(runtime, { ...config, tunnel }, certificate, crew !== null);
  const door = new FrontDoor(context, port, {
    secure: async (conn) => {
      await conn.handshake?.();
      return conn;
    },
    receive: (conn, arrival) => receive(handlers, conn, arrival),
    starved: () => handlers.starved?.(),
  });
  return Object.assign(door, { leafSha256: (conn?: ArrivingConn) => port.leafSha256(conn) });
}

async function receive(handlers: AcceptHandlers, conn: ArrivingConn, arrival: Arrival): Promise<void> {
  const opening = await readOpening(conn);
  if (arrival.over) return;
  const take = (): boolean => arrival.end("taken");
  if (opening.kind === "control") await handlers.control(conn, opening.bytes, take);
  else if (!await handlers.link(conn, opening.bytes, take)) {
    throw new NodePassError("protocol", "Link was refused");
  }
  arrival.end("taken");
}
