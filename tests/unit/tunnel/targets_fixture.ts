/**
 * Targets on a scripted network: no socket, no real time.
 *
 * @module
 */
import { NodePassError } from "../../../src/errors.ts";
import type { ClientConfig, HostPort, Settings } from "../../../src/config/types.ts";
import type { Conn, ConnectOptions, Runtime } from "../../../src/runtime/types.ts";
import { createContext } from "../../../src/tunnel/create_context.ts";
import type { Session } from "../../../src/tunnel/session_ledger.ts";
import { Targets } from "../../../src/tunnel/targets.ts";
import { FakeClock } from "../../fake_clock.ts";
import { type MemoryConn, memoryPair } from "../../memory_conn.ts";
import { forwardConfig, LinesLogger, runtime as realRuntime } from "./forward_fixture.ts";

/** What an address does when it is dialled. */
export type Behaviour = "accept" | "refuse" | "silent";

/** A visitor for tests that do not care which. */
export const visitor = { host: "192.0.2.7", port: 40_000 };

/** A scripted network and the targets on it. */
export class World {
  readonly clock: FakeClock = new FakeClock();
  readonly logger: LinesLogger = new LinesLogger();
  /** By `ip:port`; anything else accepts. */
  readonly behaviour: Map<string, Behaviour> = new Map();
  /** By name. */
  readonly names: Map<string, readonly string[]> = new Map();
  /** What was dialled, in order. */
  readonly dialled: string[] = [];
  readonly lookedUp: string[] = [];
  /** Sources that this machine has. */
  readonly sources: Set<string> = new Set();
  /** Far ends of the accepted connections, in order. */
  readonly accepted: MemoryConn[] = [];
  readonly targets: Targets;
  readonly #context: ReturnType<typeof createContext<ClientConfig>>;

  constructor(targets: readonly HostPort[], changes: Partial<ClientConfig> = {}, settings: Partial<Settings> = {}) {
    const runtime: Runtime = {
      ...realRuntime,
      clock: this.clock,
      net: { ...realRuntime.net, connect: (options) => this.#connect(options) },
      dns: { resolve: (name) => this.#resolve(name) },
    };
    this.#context = createContext(forwardConfig(targets, changes, settings), runtime, this.logger);
    this.targets = new Targets(this.#context.context);
  }

  session(): Session {
    const session = this.#context.context.ledger.open("tcp", "192.0.2.7:40000");
    if (session === null) throw new Error("no slot");
    return session;
  }

  /** Dials once and says which target answered. */
  async dialOnce(from: { host: string; port: number } = visitor): Promise<string> {
    const session = this.session();
    (await this.targets.dial(from, session)).close();
    session.close();
    return session.target;
  }

  /** Steps through the time until the promise is settled, and says how long that took. */
  async settled<T>(promise: Promise<T>): Promise<{ result: T | NodePassError; ms: number }> {
    const start = this.clock.now();
    let outcome: { result: T | NodePassError } | null = null;
    const noted = promise.then((result) => outcome = { result }, (error) => outcome = { result: error });
    for (let i = 0; i < 2_000 && outcome === null; i++) await this.clock.advanceSteps(i === 0 ? 1 : 10);
    await noted;
    return { ...(outcome as unknown as { result: T | NodePassError }), ms: this.clock.now() - start };
  }

  async #resolve(name: string): Promise<readonly string[]> {
    this.lookedUp.push(name);
    await Promise.resolve();
    const addresses = this.names.get(name);
    if (addresses === undefined) throw new NodePassError("name_not_found", `Cannot resolve ${name}: name not found`);
    if (addresses.length === 0) return await new Promise<never>(() => {});
    return addresses;
  }

  async #connect(options: ConnectOptions): Promise<Conn> {
    const { host, port, localHost, timeoutMs, signal } = options;
    const where = `${host}:${port}`;
    this.dialled.push(localHost === undefined ? where : `${where} from ${localHost}`);
    if (localHost !== undefined && !this.sources.has(localHost)) {
      throw new NodePassError("address_not_available", `Cannot connect to ${where}: address not available`);
    }
    const behaviour = this.behaviour.get(where) ?? "accept";
    if (behaviour === "refuse") throw new NodePassError("connection_refused", `Cannot connect to ${where}: refused`);
    if (behaviour === "silent") {
      await new Promise<never>((_, reject) => {
        const timer = this.clock.after(timeoutMs, () => reject(new NodePassError("timed_out", "too slow")));
        signal?.addEventListener("abort", () => {
          timer.cancel();
          reject(new NodePassError("closed", "aborted"));
        });
      });
    }
    const [near, far] = memoryPair();
    this.accepted.push(far);
    return Object.assign(near, { remote: { host, port } });
  }
}
