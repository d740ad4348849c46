/**
 * Tells listeners when this process has no descriptor left.
 *
 * Node says nothing then: its event loop accepts what arrives with a descriptor that it keeps in reserve, and closes it.
 *
 * @module
 */
import { closeSync, openSync } from "node:fs";
import type net from "node:net";
import { devNull } from "node:os";
import process from "node:process";

/** How long after an accepted connection it is looked whether there is room for another one. */
const LOOK_MS = 100;
/** Deno's `node:net` waits with accepting until there is room, and a file may not be opened without permission there. */
const needed = process.versions["deno"] === undefined;

const servers = new Set<net.Server>();
let look: ReturnType<typeof setTimeout> | null = null;

/** From now on the listening `server` emits an `error` with code EMFILE when it cannot take another connection. */
export function watchDescriptors(server: net.Server): void {
  if (!needed) return;
  servers.add(server);
  server.once("close", () => servers.delete(server));
  server.on("connection", onConnection);
}

function onConnection(): void {
  look ??= setTimeout(lookForRoom, LOOK_MS).unref();
}

function lookForRoom(): void {
  look = null;
  try {
    closeSync(openSync(devNull, "r"));
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code !== "EMFILE" && code !== "ENFILE") return;
    for (const server of servers) if (server.listening) server.emit("error", error);
  }
}
