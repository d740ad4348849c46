/**
 * How a tunnel client reaches its server: control channels and links over the secure wire.
 *
 * @module
 */
import type { ClientConfig } from "../config/types.ts";
import type { Conn } from "../runtime/types.ts";
import type { Agreement, ServerTls } from "../wire/secure/agreement.ts";
import { connectControl, connectLink, type ControlConnection } from "../wire/secure/client_connect.ts";
import { type ClientIdentity, deriveClientIdentity } from "../wire/secure/identity.ts";
import { ProvenMode } from "../wire/secure/proven_mode.ts";
import { deriveRoot, type RootSecret } from "../wire/secure/root_secret.ts";
import type { ServerRoute } from "../wire/secure/server_route.ts";
import type { TunnelContext } from "./context.ts";
import { ExtraRoots } from "./extra_roots.ts";

/** What the key gives, derived once. */
interface Credentials {
  readonly root: RootSecret;
  readonly identity: ClientIdentity;
}

/** See the module. */
export class ServerCalls {
  readonly #context: TunnelContext<ClientConfig>;
  readonly #proven = new ProvenMode();
  #credentials: Promise<Credentials> | null = null;
  readonly #extraRoots: ExtraRoots;
  #mode: ServerTls = "derived";
  /** Address of the last control channel: its links go to the same machine. */
  #host = "";
  #counter = 0;

  constructor(context: TunnelContext<ClientConfig>) {
    this.#context = context;
    this.#extraRoots = new ExtraRoots(context);
  }

  /**
   * Reads the extra trust roots again; true when they are others than before.
   *
   * @throws the file cannot be read: the roots before it stay
   */
  reload(): Promise<boolean> {
    return this.#extraRoots.reload();
  }

  /** Opens a control channel; `last` resumes the client id of an earlier one. */
  async control(last: Agreement | null, signal: AbortSignal): Promise<ControlConnection> {
    const { config, logger } = this.#context;
    const { root } = await this.#derived();
    const resume = last === null ? null : { clientId: last.clientId, resumeSecret: last.resumeSecret };
    const connection = await connectControl({
      ...await this.#route(config.tunnel.host, signal),
      logger,
      root,
      pin: config.tls,
      proven: this.#proven,
      resume,
    });
    this.#mode = connection.mode;
    this.#host = connection.conn.remote.host;
    return connection;
  }

  /**
   * Opens one link. Its counter is its name on the control channel.
   *
   * @param confirm wait until the server has taken it
   */
  async link(
    agreement: Agreement,
    kind: "session" | "datagram",
    confirm: boolean,
    signal: AbortSignal,
  ): Promise<{ readonly conn: Conn; readonly counter: number }> {
    const counter = this.#counter++;
    const conn = await connectLink({
      ...await this.#route(this.#host, signal),
      mode: this.#mode,
      agreement,
      kind,
      counter,
      confirm,
    });
    return { conn, counter };
  }

  #derived(): Promise<Credentials> {
    return this.#credentials ??= (async () => {
      const { config, crew } = this.#context;
      const root = crew?.root ?? await deriveRoot(config.key.secret.reveal());
      return { root, identity: await deriveClientIdentity(root) };
    })();
  }

  async #route(host: string, signal: AbortSignal): Promise<ServerRoute> {
    const { config, runtime } = this.#context;
    return {
      runtime,
      identity: (await this.#derived()).identity,
      host: host === "" ? "127.0.0.1" : host,
      port: config.tunnel.port,
      serverName: config.serverName,
      extraCaPem: await this.#extraRoots.pem(),
      transport: config.transport,
      path: config.path,
      timeoutMs: config.settings.handshakeTimeoutMs,
      signal,
    };
  }
}
