/**
 * What Deno has in `node:` modules alone. They are loaded when they are first needed: together they take as long as the
 * rest of a start.
 *
 * @module
 */
import type { Dns, Net, Tls, Udp } from "../types.ts";

/** `Deno.resolveDns` knows nothing of the hosts file. */
export const lateDns: Dns = {
  resolve: async (name) => await (await import("../node/dns.ts")).nodeDns.resolve(name),
};

/** For a source address, which `Deno.connect` cannot choose. */
export const lateConnect: Net["connect"] = async (options) => {
  return await (await import("../node/net.ts")).nodeNet.connect(options);
};

/** For Deno without `--unstable-net`. */
export const lateBind: Udp["bind"] = async (options) => await (await import("../node/udp.ts")).nodeUdp.bind(options);

/** For what native TLS cannot do. */
export const lateTls: Pick<Tls, "connect" | "inspect" | "listenUpgradable"> = {
  connect: async (options) => await (await import("../node/tls_connect.ts")).connectTls(options),
  listenUpgradable: async (options) => await (await import("../node/upgradable_listener.ts")).listenUpgradable(options),
  inspect: async (options) => await (await import("../node/tls_connect.ts")).inspectTls(options),
};
