/**
 * Whether the URLs of both ends fit together.
 *
 * @module
 */
import { isLoopback } from "../../address/ip.ts";
import type { ClientConfig, ServerConfig } from "../../config/types.ts";
import { broken, doubtful, type Finding, fine } from "./finding.ts";
import { CLOCK_WARNING_MS } from "./master.ts";
import type { Pair } from "./pairs.ts";

/** Everything that two URLs and two clocks tell. */
export function agreement(pair: Pair): Finding[] {
  const { server, client } = pair;
  const together = server.master === client.master;
  return [
    ...addresses(server.config, client.config, together),
    keys(server.config, client.config),
    wires(server.config, client.config),
    ...transports(server.config, client.config),
    tls(server.config, client.config),
    ...modes(pair),
    ...protocols(server.config, client.config),
    ...clocks(server.master.aheadMs, client.master.aheadMs, together),
  ];
}

function addresses(server: ServerConfig, client: ClientConfig, together: boolean): Finding[] {
  const findings: Finding[] = [];
  if (server.tunnel.port !== client.tunnel.port) {
    findings.push(doubtful(
      "address",
      `the server listens on port ${server.tunnel.port}, the client connects to port ${client.tunnel.port}`,
      "use the same port, unless something in between forwards it",
    ));
  }
  if (!together && loopback(server.tunnel.host)) {
    findings.push(broken(
      "address",
      `the server listens on ${server.tunnel.host}, which its own machine alone can reach`,
      `give 0.0.0.0:${server.tunnel.port} in the server's URL`,
    ));
  }
  if (!together && (loopback(client.tunnel.host) || client.tunnel.host === "")) {
    findings.push(broken(
      "address",
      `the client connects to ${client.tunnel.host || "its own machine"}, and the server is on another one`,
      "give the server's address in the client's URL",
    ));
  }
  return findings;
}

function loopback(host: string): boolean {
  return host === "localhost" || isLoopback(host);
}

function keys(server: ServerConfig, client: ClientConfig): Finding {
  const [here, there] = [server.key, client.key];
  if (here.origin === "port" && there.origin === "port") {
    if (server.tunnel.port === client.tunnel.port) return fine("key", "none on either end: made from the port");
    return broken("key", "none on either end, and the ports differ", 'set one from "nodepass keygen" on both ends');
  }
  if (here.origin === "port" || there.origin === "port") {
    const [has, lacks] = here.origin === "port" ? ["client", "server"] : ["server", "client"];
    return broken("key", `the ${has} has one and the ${lacks} has none in its URL`, "set the same key on both ends");
  }
  if (here.secret.reveal() === there.secret.reveal()) return fine("key", "the same on both ends");
  return broken("key", "differs between the ends", "set the same key on both ends");
}

function wires(server: ServerConfig, client: ClientConfig): Finding {
  if (server.wire === client.wire) return fine("wire", `${server.wire} on both ends`);
  return broken(
    "wire",
    `the server speaks ${server.wire}, the client ${client.wire}`,
    `set wire=${server.wire} on the client, or wire=${client.wire} on the server`,
  );
}

function transports(server: ServerConfig, client: ClientConfig): Finding[] {
  const type = { tcp: "0", websocket: "2" } as const;
  if (server.transport !== client.transport) {
    const [here, there] = [type[server.transport], type[client.transport]];
    return [
      broken("wire", `links are type=${here} at the server and type=${there} at the client`, "set the same type"),
    ];
  }
  if (server.transport === "websocket" && server.path !== client.path) {
    return [
      doubtful(
        "wire",
        `the server expects WebSockets at ${server.path}, the client asks for ${client.path}`,
        "set the same path, unless a proxy in between changes it",
      ),
    ];
  }
  return [];
}

function tls({ tls, wire }: ServerConfig, client: ClientConfig): Finding {
  const code = { plain: 0, derived: 1, files: 2 }[tls.kind];
  if (client.tls !== "discover" && client.tls !== tls.kind) {
    const pinned = client.tls === "files" ? 2 : 1;
    return broken(
      "tls",
      `the client insists on tls=${pinned}, the server offers tls=${code}`,
      "remove tls= from the client, which then takes what the server proves",
    );
  }
  if (tls.kind === "plain") {
    return doubtful(
      "tls",
      "tls=0: what goes through can be read and changed on the way",
      "remove tls=0 from the server",
    );
  }
  return fine("tls", wire === "secure" && code === 1 ? "tls=1, made from the key" : `tls=${code}`);
}

function modes({ server, client }: Pair): Finding[] {
  if (client.config.mode === "auto" && client.view.status === "running" && client.view.mode === 1) {
    return [broken(
      "mode",
      "the client found the tunnel address on its own machine and forwards by itself, without the server",
      "set mode=2 on the client",
    )];
  }
  const chosen = server.view.status === "running" ? server.view.mode : 0;
  const mode = server.config.mode === "auto" ? [null, "reverse", "forward"][chosen] : server.config.mode;
  if (mode == null) return [];
  return [fine("mode", `visitors arrive at the ${mode === "reverse" ? "server" : "client"}`)];
}

function protocols(server: ServerConfig, client: ClientConfig): Finding[] {
  const findings: Finding[] = [];
  for (const [name, here, there] of [["TCP", server.tcp, client.tcp], ["UDP", server.udp, client.udp]] as const) {
    if (here === there) continue;
    const without = here ? "client" : "server";
    const parameter = `no${name.toLowerCase()}`;
    findings.push(
      doubtful("mode", `${name} is off at the ${without} alone`, `set ${parameter}=1 on both ends or on neither`),
    );
  }
  return findings;
}

function clocks(server: number | null, client: number | null, together: boolean): Finding[] {
  if (together || server === null || client === null) return [];
  const seconds = Math.round(Math.abs(server - client) / 1000);
  // Each is known to about a second.
  if (seconds * 1000 <= CLOCK_WARNING_MS) return [fine("clock", "both machines agree")];
  return [doubtful(
    "clock",
    `${seconds} s between both machines`,
    "synchronise them (timedatectl set-ntp true): certificates and logs go by the clock",
  )];
}
