/**
 * Both ends of a tunnel, as processes of the command or inside the test, connected and ready for visitors.
 *
 * @module
 */
import { formatAddress } from "../../src/address/ip.ts";
import type { SocketAddress } from "../../src/runtime/types.ts";
import { type NodePassProcess, type RuntimeName, startUrl } from "./process.ts";

/** Which way visitors go: they arrive at the server (reverse) or at the client (forward). */
export type Flow = "reverse" | "forward";

/** A key as `keygen` makes it: no key stretching at start. */
export const TEST_KEY = "npk1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/** Options of {@linkcode startPair}. */
export interface PairOptions {
  /** @default "reverse" */
  readonly flow?: Flow;
  readonly targets: readonly SocketAddress[];
  /** Runtime of the server. @default "deno" */
  readonly server?: RuntimeName;
  /** Runtime of the client. @default "deno" */
  readonly client?: RuntimeName;
  /** Where the server listens. @default "127.0.0.1" */
  readonly host?: string;
  /** @default TEST_KEY */
  readonly key?: string;
  /** More parameters of the server's URL, without `&` in front: `tls=0&slot=5`. */
  readonly serverQuery?: string;
  /** More parameters of the client's URL. */
  readonly clientQuery?: string;
  /** `NP_*` variables of both ends. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A running pair; disposing kills both. */
export interface Pair extends AsyncDisposable {
  readonly server: NodePassProcess;
  readonly client: NodePassProcess;
  /** The tunnel port. */
  readonly tunnel: SocketAddress;
  /** Where visitors arrive. */
  readonly entry: SocketAddress;
  /** Asks both to stop, the client first; their exit codes. */
  stop(): Promise<readonly [server: number, client: number]>;
}

/** Starts a server and a client and waits until they shook hands and visitors may come. */
export async function startPair(options: PairOptions): Promise<Pair> {
  const { process: server, tunnel, entry } = await startServer(options);
  try {
    const { process: client, entry: clientEntry } = await startClient(tunnel, options);
    return {
      server,
      client,
      tunnel,
      entry: (entry ?? clientEntry)!,
      async stop() {
        const clientCode = await client.stop();
        return [await server.stop(), clientCode];
      },
      async [Symbol.asyncDispose]() {
        await Promise.all([server[Symbol.asyncDispose](), client[Symbol.asyncDispose]()]);
      },
    };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw withOutput(error, "server", server);
  }
}

/** One end that runs. */
export interface StartedEnd {
  readonly process: NodePassProcess;
  /** Where visitors arrive, if they arrive at this end. */
  readonly entry: SocketAddress | null;
}

/** Starts the server of a pair and waits until it listens. */
export async function startServer(options: PairOptions): Promise<StartedEnd & { readonly tunnel: SocketAddress }> {
  const { flow = "reverse", host = "127.0.0.1", server: runtime = "deno", key = TEST_KEY, env = {} } = options;
  const targets = flow === "reverse" ? formatAddress({ host, port: 0 }) : options.targets.map(formatAddress).join(",");
  const query = join(`mode=${flow === "reverse" ? 1 : 2}`, options.serverQuery);
  const process = startUrl(`server://${key}@${formatAddress({ host, port: 0 })}/${targets}?${query}`, { runtime, env });
  return await orKilled(process, async () => {
    const line = await process.line("Server started: ");
    return {
      process,
      tunnel: addressAfter(line, "tunnel="),
      entry: flow === "reverse" ? addressAfter(line, "arrive at ") : null,
    };
  });
}

/** Starts a client of the server at `tunnel` and waits for the handshake. */
export async function startClient(tunnel: SocketAddress, options: PairOptions): Promise<StartedEnd> {
  const { flow = "reverse", host = "127.0.0.1", client: runtime = "deno", key = TEST_KEY, env = {} } = options;
  const targets = flow === "forward" ? formatAddress({ host, port: 0 }) : options.targets.map(formatAddress).join(",");
  const query = join("mode=2&min=8", options.clientQuery);
  const process = startUrl(`client://${key}@${formatAddress(tunnel)}/${targets}?${query}`, { runtime, env });
  return await orKilled(process, async () => {
    const arrival = flow === "forward" ? await process.line("Visitors arrive at ") : null;
    await process.line("Tunnel handshaked: ");
    return { process, entry: arrival === null ? null : addressAfter(arrival, "arrive at ") };
  });
}

/** Starts a single-end forwarder and waits until it listens. */
export async function startForwarder(
  options: Omit<PairOptions, "flow" | "server" | "serverQuery">,
): Promise<StartedEnd & { readonly entry: SocketAddress }> {
  const { host = "127.0.0.1", client: runtime = "deno", env = {} } = options;
  const query = join("mode=1", options.clientQuery);
  const targets = options.targets.map(formatAddress).join(",");
  const process = startUrl(`client://${formatAddress({ host, port: 0 })}/${targets}?${query}`, { runtime, env });
  return await orKilled(process, async () => {
    return { process, entry: addressAfter(await process.line("Forwarding visitors"), "listening=") };
  });
}

/** The address that follows `mark` in a line. */
export function addressAfter(line: string, mark: string): SocketAddress {
  const [, host, port] = /^"?(\[[^\]]+\]|[^\s:,"]+):(\d+)/.exec(line.slice(line.indexOf(mark) + mark.length)) ?? [];
  if (host === undefined || port === undefined) throw new Error(`No address after "${mark}" in: ${line}`);
  return { host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
}

function join(query: string, more: string | undefined): string {
  return more === undefined || more === "" ? query : `${query}&${more}`;
}

async function orKilled<T>(process: NodePassProcess, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await process[Symbol.asyncDispose]();
    throw error;
  }
}

function withOutput(error: unknown, name: string, process: NodePassProcess): Error {
  return new Error(`${error instanceof Error ? error.message : error}\n${name}:\n${process.output}`, { cause: error });
}
