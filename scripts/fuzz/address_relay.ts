/**
 * A port whose every connection reaches the master from another address of this machine: a limit on failures of one
 * address must not answer for all requests without a key.
 *
 * @module
 */
import { connect, createServer, type Socket } from "node:net";

/** A relay to a local port. */
export interface AddressRelay {
  readonly port: number;
  close(): Promise<void>;
}

/** Starts a relay to a port of 127.0.0.1. */
export async function startAddressRelay(target: number): Promise<AddressRelay> {
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createServer((socket) => {
    const number = count++ % 60_000;
    const localAddress = `127.1.${1 + Math.floor(number / 250)}.${1 + number % 250}`;
    const onward = connect({ host: "127.0.0.1", port: target, localAddress });
    for (const [from, to] of [[socket, onward], [onward, socket]] as const) {
      sockets.add(from);
      from.on("close", () => sockets.delete(from));
      // A broken connection ends both of its halves.
      from.on("error", () => to.destroy());
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The relay has no port");
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port: address.port, close };
}
