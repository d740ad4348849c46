/**
 * F13: targets that are down, that never answer, and the first of three dead.
 *
 * @module
 */
import type { Row } from "../../bench/rows.ts";
import { startForwarder, startPair } from "../../../tests/e2e/ends.ts";
import { echoTcp, within } from "../../../tests/e2e/load.ts";
import { Target } from "../../../tests/e2e/targets.ts";
import type { NodePassError } from "../../../src/errors.ts";
import type { SocketAddress } from "../../../src/runtime/types.ts";
import { dial, endedEmpty, freePort } from "../../../tests/unit/tunnel/forward_fixture.ts";
import type { Cell } from "../stage.ts";

const DIAL_MS = 1_000;
const SLACK_MS = 500;
const env = { NP_TCP_DIAL_TIMEOUT: `${DIAL_MS}ms` };

/** Visitors of a target that is down or silent are closed in time; with one of three dead nobody notices. */
export async function deadTargets(cell: Cell): Promise<Row> {
  const dead = { host: "127.0.0.1", port: await freePort() };
  using deaf = await DeafTarget.open();
  await using second = await Target.listen();
  await using third = await Target.listen();
  const pairFor = (targets: readonly SocketAddress[]) =>
    startPair({
      flow: cell.flow,
      server: cell.runtime,
      client: cell.runtime,
      targets,
      env,
      serverQuery: `tls=${cell.tls}`,
    });
  await using down = await pairFor([dead]);
  await using slow = await pairFor([deaf.address]);
  await using three = await pairFor([dead, second.address, third.address]);
  const { process, entry } = await startForwarder({
    client: cell.runtime,
    targets: [dead, second.address, third.address],
    env,
  });
  await using single = process;
  const downMs = await closedAfter(down.entry);
  const slowMs = await closedAfter(slow.entry);
  const failures: string[] = [];
  const started = performance.now();
  for (let index = 0; index < 12; index++) {
    for (const address of [three.entry, entry]) {
      await within(DIAL_MS + SLACK_MS, "an echo", echoTcp(address, 1_000, index)).catch((error) => {
        failures.push(`${single.pid} ${error}`);
      });
    }
  }
  const meanMs = Math.round((performance.now() - started) / 24);
  const limit = DIAL_MS + SLACK_MS;
  return {
    id: "F13",
    pass: downMs <= limit && slowMs <= limit && slowMs >= DIAL_MS - 50 && failures.length === 0,
    measured: {
      ...cell,
      dialMs: DIAL_MS,
      downMs,
      slowMs,
      served: 24 - failures.length,
      of: 24,
      meanMs,
      failures: failures.slice(0, 3),
    },
    demand: "closed <= dial timeout + 0.5 s; failover <= 1 attempt",
  };
}

async function closedAfter(entry: SocketAddress): Promise<number> {
  const started = performance.now();
  const visitor = await dial(entry).catch((error: NodePassError) => {
    // Turned away before its connect was seen to be done.
    if (error.code === "connection_reset") return null;
    throw error;
  });
  if (visitor === null) return Math.round(performance.now() - started);
  try {
    await visitor.write(new Uint8Array(10));
    if (!await within(15_000, "the end", endedEmpty(visitor))) throw new Error("A dead target answered");
  } finally {
    visitor.close();
  }
  return Math.round(performance.now() - started);
}

/** A listener whose queue is full: the system answers no further connection. */
class DeafTarget implements Disposable {
  readonly address: SocketAddress;
  readonly #listener: Deno.TcpListener;
  readonly #waiting: Deno.Conn[];

  private constructor(listener: Deno.TcpListener, waiting: Deno.Conn[]) {
    this.#listener = listener;
    this.#waiting = waiting;
    this.address = { host: "127.0.0.1", port: listener.addr.port };
  }

  static async open(): Promise<DeafTarget> {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
    const waiting: Deno.Conn[] = [];
    const never = new AbortController();
    // The queue takes a few more than it was asked for.
    for (let full = false; !full;) {
      const attempt = Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port, signal: never.signal });
      const timer = setTimeout(() => never.abort(), 300);
      await attempt.then((conn) => waiting.push(conn), () => full = true);
      clearTimeout(timer);
    }
    return new DeafTarget(listener, waiting);
  }

  [Symbol.dispose](): void {
    for (const conn of this.#waiting) conn.close();
    this.#listener.close();
  }
}
