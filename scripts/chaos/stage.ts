/**
 * A pair of processes with a fault relay between them, and tests that hold both ends of every session.
 *
 * @module
 */
import { writeAll } from "../../src/relay/write_all.ts";
import { nodeNet } from "../../src/runtime/node/net.ts";
import type { Conn, Listener, Net, SocketAddress } from "../../src/runtime/types.ts";
import { type Flow, type PairOptions, startClient, type StartedEnd, startServer } from "../../tests/e2e/ends.ts";
import { within } from "../../tests/e2e/load.ts";
import type { RuntimeName } from "../../tests/e2e/process.ts";
import { runtime } from "../../tests/unit/tunnel/forward_fixture.ts";
import { type FaultRelay, startFaultRelay } from "../fault_relay/relay.ts";

/** What both ends run on, which way visitors go, and whether links are encrypted. */
export interface Cell {
  readonly runtime: RuntimeName;
  readonly flow: Flow;
  readonly tls: 0 | 1;
}

/** All of them. */
export const CELLS: readonly Cell[] = (["deno", "node"] as const).flatMap((runtime) =>
  (["reverse", "forward"] as const).flatMap((flow) => ([0, 1] as const).map((tls) => ({ runtime, flow, tls })))
);

/** Every value of every dimension at least twice. */
export const FEW_CELLS: readonly Cell[] = [
  { runtime: "deno", flow: "reverse", tls: 1 },
  { runtime: "node", flow: "reverse", tls: 0 },
  { runtime: "deno", flow: "forward", tls: 0 },
  { runtime: "node", flow: "forward", tls: 1 },
];

const MEET_MS = 15_000;
const ID_BYTES = 4;

/** Both ends of one session: the visitor's socket and the target's. */
export interface Meeting extends Disposable {
  readonly id: number;
  readonly visitor: Conn;
  readonly target: Conn;
}

/** Options of a meeting. */
export interface MeetOptions {
  /** How long the visitor may take to arrive. */
  readonly ms?: number;
  /** What connects the visitor. @default this runtime's own */
  readonly net?: Net;
}

interface Awaited {
  readonly resolve: (target: Conn) => void;
  readonly left: Promise<void>;
}

/** A target where each visitor's connection is found by the number that the visitor sends first. */
export class MeetingPoint implements AsyncDisposable {
  readonly #listener: Listener;
  readonly #awaited = new Map<number, Awaited>();
  readonly #open = new Set<Conn>();
  readonly #accepting: Promise<void>;
  #next = 1;

  private constructor(listener: Listener) {
    this.#listener = listener;
    this.#accepting = this.#accept();
  }

  static async open(net: Net = runtime.net): Promise<MeetingPoint> {
    return new MeetingPoint(await net.listen({ host: "127.0.0.1", port: 0 }));
  }

  get address(): SocketAddress {
    return this.#listener.local;
  }

  /** Connections that the target holds. */
  get open(): number {
    return this.#open.size;
  }

  /** Connects a visitor and waits for it to arrive at the target. */
  async meet(entry: SocketAddress, options: MeetOptions = {}): Promise<Meeting> {
    const { ms = MEET_MS, net = runtime.net } = options;
    const id = this.#next++;
    const { promise: arrived, resolve } = Promise.withResolvers<Conn>();
    const { promise: left, resolve: leave } = Promise.withResolvers<void>();
    this.#awaited.set(id, { resolve, left });
    let visitor: Conn | null = null;
    try {
      visitor = await net.connect({ ...entry, timeoutMs: ms });
      const number = new Uint8Array(ID_BYTES);
      new DataView(number.buffer).setUint32(0, id);
      await writeAll(visitor, number);
      const own = visitor;
      const target = await within(ms, `visitor ${id} at the target`, arrived);
      const dispose = () => {
        own.close();
        target.close();
        leave();
      };
      return { id, visitor, target, [Symbol.dispose]: dispose };
    } catch (error) {
      visitor?.close();
      leave();
      throw error;
    } finally {
      this.#awaited.delete(id);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#open) conn.close();
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    for (let conn = await this.#listener.accept(); conn !== null; conn = await this.#listener.accept()) {
      const own = conn;
      this.#open.add(own);
      void this.#welcome(own).catch(() => {}).finally(() => {
        own.close();
        this.#open.delete(own);
      });
    }
  }

  async #welcome(conn: Conn): Promise<void> {
    const number = new Uint8Array(ID_BYTES);
    for (let have = 0; have < ID_BYTES;) {
      const count = await conn.read(number.subarray(have));
      if (count === null) return;
      have += count;
    }
    const awaited = this.#awaited.get(new DataView(number.buffer).getUint32(0));
    if (awaited === undefined) return;
    awaited.resolve(conn);
    await awaited.left;
  }
}

/** Options of {@linkcode Stage.open} besides the cell. */
export type StageOptions = Pick<PairOptions, "serverQuery" | "clientQuery" | "env"> & {
  /** Visitors and targets can reset: the Node adapter does on both runtimes, at the price of a slower accept on Deno. */
  readonly resets?: boolean;
};

/** See the module. */
export class Stage implements AsyncDisposable {
  readonly cell: Cell;
  readonly point: MeetingPoint;
  readonly relay: FaultRelay;
  readonly server: StartedEnd["process"];
  readonly client: StartedEnd["process"];
  readonly entry: SocketAddress;

  private constructor(
    cell: Cell,
    point: MeetingPoint,
    relay: FaultRelay,
    ends: { server: StartedEnd; client: StartedEnd },
  ) {
    this.cell = cell;
    this.point = point;
    this.relay = relay;
    this.server = ends.server.process;
    this.client = ends.client.process;
    this.entry = (ends.server.entry ?? ends.client.entry)!;
  }

  static async open(cell: Cell, more: StageOptions = {}): Promise<Stage> {
    await using stack = new AsyncDisposableStack();
    const point = stack.use(await MeetingPoint.open(more.resets === true ? nodeNet : runtime.net));
    const { resets: _, ...query } = more;
    const options: PairOptions = {
      flow: cell.flow,
      server: cell.runtime,
      client: cell.runtime,
      targets: [point.address],
      ...query,
      serverQuery: [`tls=${cell.tls}`, more.serverQuery].filter(Boolean).join("&"),
    };
    const server = await startServer(options);
    stack.use(server.process);
    const relay = stack.use(await startFaultRelay(runtime, { target: server.tunnel }));
    const client = await startClient(relay.local, options);
    const stage = new Stage(cell, point, relay, { server, client });
    stack.move();
    return stage;
  }

  /** Connections that the client opened so far: links and control channels. */
  get links(): number {
    return this.relay.accepted;
  }

  get pids(): readonly number[] {
    return [this.server.pid, this.client.pid];
  }

  meet(options?: MeetOptions): Promise<Meeting> {
    return this.point.meet(this.entry, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.server[Symbol.asyncDispose](), this.client[Symbol.asyncDispose]()]);
    await this.relay.close();
    await this.point[Symbol.asyncDispose]();
  }
}

/** Open descriptors of a process. */
export function descriptors(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

/** Runs `work` for 0..count-1, `atOnce` side by side; every failure is in the result. */
export async function times(
  count: number,
  atOnce: number,
  work: (index: number) => Promise<void>,
): Promise<{ readonly failures: readonly string[] }> {
  const failures: string[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      try {
        await work(index);
      } catch (error) {
        failures.push(`${index}: ${error instanceof Error ? error.message : error}`);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
  return { failures };
}

/** Repeatable numbers: an integer below `limit`. */
export function dice(seed: number): (limit: number) => number {
  let state = (seed * 0x9e3779b9 + 0x85ebca6b) >>> 0 || 1;
  return (limit) => {
    state = (state ^ (state << 13)) >>> 0;
    state = (state ^ (state >>> 17)) >>> 0;
    state = (state ^ (state << 5)) >>> 0;
    return state % limit;
  };
}
