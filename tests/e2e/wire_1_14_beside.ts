/**
 * Our ends of wire=1.14 beside the stand-in for the Go program, with a target behind whichever end dials.
 *
 * @module
 */
import type { Settings } from "../../src/config/types.ts";
import type { SocketAddress } from "../../src/runtime/types.ts";
import { deepEqual, equal } from "../harness.ts";
import { type GoClient, goClient, type GoClientOptions } from "../peer_1_14/client.ts";
import type { Generation } from "../peer_1_14/generation.ts";
import { type GoServer, goServer, type GoServerOptions } from "../peer_1_14/server.ts";
import type { Own } from "../unit/tunnel/forward_fixture.ts";
import type { Inside } from "./in_process.ts";
import { until } from "./load.ts";
import { Target } from "./targets.ts";
import { entryOf, KEY, ourClient, ourServer } from "./wire_1_14_inside.ts";

type Flow = "reverse" | "forward";

/** Our client and a Go-shaped server, with a target behind whichever end dials. */
export async function besideServer(
  own: Own,
  flow: Flow,
  manner: Partial<GoServerOptions> = {},
  settings: Partial<Settings> = {},
): Promise<
  { peer: GoServer; client: Inside; entry: () => SocketAddress }
> {
  const target = await own(Target.listen());
  const peer = await own(goServer({ key: KEY, flow, target: target.address, ...manner }));
  const options = flow === "reverse" ? { flow, target: target.address, settings } : { flow, settings };
  const client = await own(ourClient(peer.address, options));
  await peer.generation(0);
  return { peer, client, entry: () => flow === "reverse" ? peer.entry : entryOf(client) };
}

/** Our server and a Go-shaped client. */
export async function besideClient(
  own: Own,
  flow: Flow,
  manner: Partial<GoClientOptions> = {},
  settings: Partial<Settings> = {},
  query = "tls=0",
): Promise<
  { peer: GoClient; server: Inside; entry: () => SocketAddress }
> {
  const target = await own(Target.listen());
  const options = flow === "forward" ? { flow, target: target.address, settings, query } : { flow, settings, query };
  const server = await own(ourServer(options));
  const common = { key: KEY, server: server.handle.addr!, target: target.address, min: 8 };
  const peer = await own(goClient({ ...common, ...manner }));
  return { peer, server, entry: () => flow === "reverse" ? entryOf(server) : peer.entry };
}

/** Checks that our end did nothing that the dialect forbids. */
export function hasNoFaults({ violations, control }: Generation, garbage = 0): void {
  deepEqual(violations, []);
  equal(control.garbage.length, garbage);
}

/** An entry as soon as it is there: a client learns its flow in the handshake. */
export async function entryIn(entry: () => SocketAddress): Promise<SocketAddress> {
  let found: SocketAddress | null = null;
  await until("visitors may arrive", () => {
    try {
      found = entry();
    } catch {
      found = null;
    }
    return found !== null;
  });
  return found!;
}
