/**
 * Which client belongs to which server.
 *
 * @module
 */
import { isUnspecified } from "../../address/ip.ts";
import type { ClientConfig, ServerConfig } from "../../config/types.ts";
import { isDualClient, isServer, type Patient } from "./instance.ts";

/** Both ends of a tunnel. */
export interface Pair {
  readonly server: Patient<ServerConfig>;
  readonly client: Patient<ClientConfig>;
}

/** Each client with the server that it most likely means, and what is left. */
export function pairsOf(patients: readonly Patient[]): { pairs: Pair[]; alone: Patient[] } {
  const servers = patients.filter(isServer);
  const clients = patients.filter(isDualClient);
  const pairs: Pair[] = [];
  for (const client of clients) {
    const scored = servers.map((server) => ({ server, score: likeness(server, client) }));
    // With one of each there is no doubt who is meant, however little they agree.
    const enough = servers.length === 1 && clients.length === 1 ? 0 : 2;
    const best = scored.filter(({ score }) => score >= enough).sort((a, b) => b.score - a.score)[0];
    if (best !== undefined) pairs.push({ server: best.server, client });
  }
  const paired = new Set(pairs.flatMap(({ server, client }) => [server, client] as Patient[]));
  return { pairs, alone: patients.filter((patient) => !paired.has(patient)) };
}

function likeness(server: Patient<ServerConfig>, client: Patient<ClientConfig>): number {
  const port = server.config.tunnel.port === client.config.tunnel.port ? 2 : 0;
  const given = server.config.key.origin !== "port" && client.config.key.origin !== "port";
  const key = given && server.config.key.secret.reveal() === client.config.key.secret.reveal() ? 2 : 0;
  return port + key + (port > 0 && sameHost(server, client) ? 1 : 0);
}

/** Whether the host that the client connects to looks like the server's machine. */
function sameHost(server: Patient<ServerConfig>, client: Patient<ClientConfig>): boolean {
  const { host } = client.config.tunnel;
  const listens = server.config.tunnel.host;
  if (host === listens) return true;
  const together = server.master === client.master;
  const local = isUnspecified(host) || ["127.0.0.1", "::1", "localhost"].includes(host);
  return local ? together : host === server.master.api.target.base.hostname.replace(/^\[|\]$/g, "");
}
