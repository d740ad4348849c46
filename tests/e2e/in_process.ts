/**
 * Tunnels inside the test, with their settings, log lines and gauges at hand: on either runtime, and quick.
 *
 * @module
 */
import { formatAddress } from "../../src/address/ip.ts";
import { defaultSettings } from "../../src/config/settings.ts";
import { parseTunnelUrl } from "../../src/config/tunnel_url.ts";
import type { Settings, TunnelConfig } from "../../src/config/types.ts";
import type { SocketAddress } from "../../src/runtime/types.ts";
import { startTunnel } from "../../src/start/tunnel.ts";
import type { TunnelHandle } from "../../src/tunnel/types.ts";
import { LinesLogger } from "../unit/tunnel/forward_fixture.ts";
import type { Flow } from "./ends.ts";
import { until } from "./load.ts";

/** The key of all of them. */
export const KEY = "npk1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/** One end; disposing closes it at once. */
export interface Inside extends AsyncDisposable {
  readonly handle: TunnelHandle;
  readonly logger: LinesLogger;
}

/** Both ends. */
export interface InsidePair extends AsyncDisposable {
  readonly server: Inside;
  readonly client: Inside;
  readonly tunnel: SocketAddress;
  readonly entry: SocketAddress;
}

/** Options of {@linkcode startInsidePair}. */
export interface InsidePairOptions {
  /** @default "reverse" */
  readonly flow?: Flow;
  /** As in a URL: addresses, or `host:port` texts. */
  readonly targets: readonly (SocketAddress | string)[];
  readonly serverQuery?: string;
  readonly clientQuery?: string;
  readonly settings?: Partial<Settings>;
}

/** Starts one end from its URL. */
export async function startInside(url: string, settings: Partial<Settings> = {}): Promise<Inside> {
  const logger = new LinesLogger();
  const config: TunnelConfig =
    parseTunnelUrl(url, { settings: { ...defaultSettings, ...settings }, strict: true }).config;
  const handle = await startTunnel(config, { logger });
  return { handle, logger, [Symbol.asyncDispose]: () => handle.close({ graceMs: 0 }) };
}

/** The URL of a server on a free port of loopback. */
export function serverUrl(targets: string, query: string): string {
  return `server://${KEY}@127.0.0.1:0/${targets}?${query}`;
}

/** The URL of a client. */
export function clientUrl(tunnel: SocketAddress, targets: string, query: string): string {
  return `client://${KEY}@${formatAddress(tunnel)}/${targets}?${query}`;
}

/** Starts a single-end forwarder. */
export async function startInsideForwarder(
  targets: readonly (SocketAddress | string)[],
  query = "",
): Promise<Inside & { readonly entry: SocketAddress }> {
  const inside = await startInside(`client://127.0.0.1:0/${list(targets)}?mode=1&${query}`);
  return { ...inside, entry: inside.handle.addr! };
}

/** Starts both ends and waits until the client has ready links. */
export async function startInsidePair(options: InsidePairOptions): Promise<InsidePair> {
  const { flow = "reverse", serverQuery = "", clientQuery = "", settings } = options;
  const entryTarget = "127.0.0.1:0";
  const mode = flow === "reverse" ? 1 : 2;
  const serverTargets = flow === "reverse" ? entryTarget : list(options.targets);
  const server = await startInside(serverUrl(serverTargets, `tls=0&mode=${mode}&${serverQuery}`), settings);
  const tunnel = server.handle.addr!;
  const clientTargets = flow === "reverse" ? list(options.targets) : entryTarget;
  const client = await startInside(clientUrl(tunnel, clientTargets, `min=4&mode=2&${clientQuery}`), settings);
  await until("links are ready", () => client.handle.stats().pool > 0 && server.handle.stats().pool > 0);
  return {
    server,
    client,
    tunnel,
    entry: (flow === "reverse" ? server : client).handle.entries[0]!,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

function list(targets: readonly (SocketAddress | string)[]): string {
  return targets.map((target) => typeof target === "string" ? target : formatAddress(target)).join(",");
}
