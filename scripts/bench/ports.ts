/**
 * Free ports below the range that outgoing connections use, so that a load's own sockets never take them.
 *
 * @module
 */

const FIRST = 12_000;
const LAST = 32_000;
const given = new Set<number>();

/** A port of 127.0.0.1 that is free for TCP and UDP and was not given before in this run. */
export function freePort(): number {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (given.has(port)) continue;
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port }).close();
    } catch {
      continue;
    }
    given.add(port);
    return port;
  }
  throw new Error("Cannot find a free port");
}
