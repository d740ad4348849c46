/**
 * Our ends of wire=1.14 inside the test.
 *
 * @module
 */
import type { Settings } from "../../src/config/types.ts";
import { formatAddress } from "../../src/address/ip.ts";
import type { SocketAddress } from "../../src/runtime/types.ts";
import { clientUrl, type Inside, KEY, serverUrl, startInside } from "./in_process.ts";

export { KEY };

/** Options of {@linkcode ourServer} and {@linkcode ourClient}. */
export interface OurOptions {
  readonly flow: "reverse" | "forward";
  /** Where this end dials, or listens when visitors arrive here. @default a free port */
  readonly target?: SocketAddress | string;
  readonly query?: string;
  readonly settings?: Partial<Settings>;
}

/** Starts a server on a free port, or the one of `tunnel`. */
export async function ourServer(options: OurOptions & { readonly port?: number }): Promise<Inside> {
  const { flow, query = "", settings = {}, port = 0 } = options;
  const url = serverUrl(targetOf(options), `wire=1.14&mode=${flow === "reverse" ? 1 : 2}&${query}`);
  return await startInside(url.replace("127.0.0.1:0/", `127.0.0.1:${port}/`), settings);
}

/** Starts a client of the server at `tunnel`. */
export async function ourClient(tunnel: SocketAddress, options: OurOptions): Promise<Inside> {
  const { query = "", settings = {} } = options;
  return await startInside(clientUrl(tunnel, targetOf(options), `wire=1.14&mode=2&min=8&${query}`), settings);
}

function targetOf({ target = "127.0.0.1:0" }: OurOptions): string {
  return typeof target === "string" ? target : formatAddress(target);
}

/** The lines of a level or above info, as text. */
export function linesAt({ logger }: Inside, ...levels: readonly string[]): string[] {
  return logger.lines.filter(({ level }) => levels.includes(level)).map(({ message, fields }) =>
    `${message} ${JSON.stringify(fields)}`
  );
}

/** Where visitors of our end arrive. */
export function entryOf({ handle }: Inside): SocketAddress {
  const [entry] = handle.entries;
  if (entry === undefined) throw new Error("No visitors arrive at this end");
  return entry;
}
