/**
 * Whether what has to be reached is reached, tried from where it is needed.
 *
 * @module
 */
import { formatAddress, isUnspecified } from "../../address/ip.ts";
import type { HostPort } from "../../config/types.ts";
import { messageOf } from "../../errors.ts";
import { escapeValue } from "../../log/escape.ts";
import type { TcpingResult } from "../../master/parts.ts";
import { broken, doubtful, type Finding, fine } from "./finding.ts";
import { lastTrouble, type Patient } from "./instance.ts";
import type { Master } from "./master.ts";
import type { Pair } from "./pairs.ts";

/** From the client's machine to the server's tunnel port, and what came of it. */
export async function tunnelPath({ server, client }: Pair): Promise<Finding[]> {
  const address = dialled(client.config.tunnel);
  const there = await tcping(client.master, address);
  const findings: Finding[] = [];
  if (there.connected) {
    findings.push(fine("reachability", `the client's machine reaches ${address} in ${there.latency} ms`));
  } else {
    const own = dialled(server.config.tunnel);
    const here = await tcping(server.master, own);
    findings.push(
      here.connected
        ? broken(
          "reachability",
          `the client's machine does not reach ${address}: ${there.error}; the server does listen`,
          `open TCP port ${server.config.tunnel.port} in the server's firewall, or correct the address in the client's URL`,
        )
        : broken(
          "reachability",
          `nothing answers at ${address} (${there.error}), nor at ${own} on the server's machine (${here.error})`,
          "start the server, or look at its log",
        ),
    );
  }
  findings.push(await handshake({ server, client }));
  return findings;
}

/** As far as the client's end alone can tell. */
export async function tunnelPathAlone(client: Patient): Promise<Finding[]> {
  const address = dialled(client.config.tunnel);
  const { connected, latency, error } = await tcping(client.master, address);
  const advice = "start the server there, open the port in its firewall, or correct the address";
  return [
    connected
      ? fine("reachability", `the client's machine reaches ${address} in ${latency} ms`)
      : broken("reachability", `the client's machine does not reach ${address}: ${error}`, advice),
    ...(client.view.status !== "running" || client.view.pool > 0 ? [] : [
      broken(
        "handshake",
        await lastTrouble(client) ?? "not connected",
        "do what the line says; look at the server's log too",
      ),
    ]),
  ];
}

async function handshake({ server, client }: Pair): Promise<Finding> {
  const { view } = client;
  if (view.status === "running" && server.view.status === "running" && view.mode === 2 && view.pool > 0) {
    return fine("handshake", `connected, round trip ${view.ping} ms, ${view.pool} links ready`);
  }
  const said = view.status === "running" ? await lastTrouble(client) ?? await lastTrouble(server) : null;
  if (said === null) return broken("handshake", "the ends are not connected", "see the findings above");
  return broken("handshake", `the ends are not connected, the log says: ${said}`, "do what the line says");
}

/** The targets, from the machine that dials them. */
export async function targetPaths({ master, config, view }: Patient): Promise<Finding[]> {
  if (!config.tcp) return [];
  return await Promise.all(config.targets.map(async (target): Promise<Finding> => {
    const address = dialled(target);
    const { connected, latency, error } = await tcping(master, address);
    if (connected) return fine("target", `${address} answers the ${view.type}'s machine in ${latency} ms`);
    const advice = `start the service at ${address}, or correct the target in the ${view.type}'s URL`;
    // One of several may be down: the others take over.
    const text = `${address} does not answer the ${view.type}'s machine: ${error}`;
    return config.targets.length > 1 ? doubtful("target", text, advice) : broken("target", text, advice);
  }));
}

/** Where visitors arrive, from that machine itself. */
export async function entryPaths({ master, config, view }: Patient, entries: readonly HostPort[]): Promise<Finding[]> {
  if (!config.tcp || view.status !== "running") return [];
  return await Promise.all(
    entries.filter(({ port }) => port !== 0).map(async (entry): Promise<Finding> => {
      const address = dialled(entry);
      const { connected, error } = await tcping(master, address);
      if (connected) return fine("entry", `visitors are taken at ${shown(entry)}`);
      return broken("entry", `nothing takes visitors at ${shown(entry)}: ${error}`, "look at the log of the instance");
    }),
  );
}

/** The end that dials the targets and the end where visitors arrive. */
export function flowOf({ server, client }: Pair): { readonly dials: Patient; readonly takes: Patient } {
  const chosen = server.view.status === "running" ? server.view.mode : 0;
  const forward = server.config.mode === "forward" || server.config.mode === "auto" && chosen === 2;
  return forward ? { dials: server, takes: client } : { dials: client, takes: server };
}

async function tcping(master: Master, address: string): Promise<Pick<TcpingResult, "connected" | "latency" | "error">> {
  try {
    const answer = await master.api.get<TcpingResult>(`/tcping?target=${encodeURIComponent(address)}`);
    return { ...answer, error: escapeValue(answer.error ?? "no answer") };
  } catch (error) {
    return { connected: false, latency: 0, error: messageOf(error) };
  }
}

/** Where one dials to reach what listens there. */
function dialled({ host, port }: HostPort): string {
  if (host === "::") return `[::1]:${port}`;
  return formatAddress({ host: isUnspecified(host) ? "127.0.0.1" : host, port });
}

function shown({ host, port }: HostPort): string {
  return host === "" ? `:${port}` : formatAddress({ host, port });
}
