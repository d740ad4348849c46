/**
 * Where the library listens: with a queue that is long enough for a fleet, and connections that are let in one by one.
 *
 * @module
 */
import type { Server, ServerCredentials } from "@grpc/grpc-js";
// What the library listens with; no web API listens.
import type { ListenOptions, Server as Listener, Socket } from "node:net";
import type { Admission } from "./admission.ts";

/** Connections that wait to be accepted; the system may allow fewer (`net.core.somaxconn`), and forgets the others. */
const BACKLOG = 4_096;

/** Every listener of this server is such a one. */
export function listenGently(server: Server, admission: Admission): void {
  // The library has no option for either, and keeps its listeners to itself.
  const inner = server as unknown as { createHttp2Server(credentials: ServerCredentials): Listener };
  const create = inner.createHttp2Server.bind(server);
  inner.createHttp2Server = (credentials) => {
    const listener = create(credentials);
    const listen = listener.listen.bind(listener);
    listener.listen =
      ((address: ListenOptions, listening: () => void) =>
        listen({ ...address, backlog: BACKLOG }, listening)) as Listener["listen"];
    const serve = listener.listeners("connection");
    listener.removeAllListeners("connection");
    listener.on("connection", (socket: Socket) => {
      // One that ends while it waits has nobody else who listens.
      socket.on("error", () => {});
      admission.arrive(socket, () => serve.forEach((run) => run.call(listener, socket)));
    });
    return listener;
  };
}
