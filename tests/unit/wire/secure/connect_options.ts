/**
 * How tests reach a server as a client does.
 *
 * @module
 */
import { NodePassError } from "../../../../src/errors.ts";
import type { SocketAddress } from "../../../../src/runtime/types.ts";
import { connectControl, type ConnectControlOptions } from "../../../../src/wire/secure/client_connect.ts";
import { ProvenMode } from "../../../../src/wire/secure/proven_mode.ts";
import { LinesLogger, runtime } from "../../tunnel/forward_fixture.ts";

/** Options whose log lines can be read. */
export type ConnectWish = ConnectControlOptions & { readonly logger: LinesLogger };

/** A client that knows nothing but the key and the address. */
export function connectWish(
  keys: Pick<ConnectControlOptions, "root" | "identity">,
  at: SocketAddress,
  change: Partial<ConnectWish> = {},
): ConnectWish {
  return {
    runtime,
    logger: new LinesLogger(),
    ...keys,
    ...at,
    serverName: "none",
    extraCaPem: null,
    pin: "discover",
    transport: "tcp",
    path: "/tunnel",
    proven: new ProvenMode(),
    resume: null,
    timeoutMs: 5_000,
    ...change,
  };
}

/** The error of a connection that must not succeed. */
export async function connectFailure(wish: ConnectControlOptions): Promise<NodePassError> {
  try {
    (await connectControl(wish)).conn.close();
  } catch (error) {
    if (error instanceof NodePassError) return error;
    throw error;
  }
  throw new Error("It connected");
}
