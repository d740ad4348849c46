/**
 * U1: boundaries and losses. U2: expiry. U3: a flood of sources.
 *
 * @module
 */
import { delay, droppedAt } from "../../bench/proc_files.ts";
import type { Row } from "../../bench/rows.ts";
import type { Datagram, SocketAddress } from "../../../src/runtime/types.ts";
import { type Pair, startPair } from "../../../tests/e2e/ends.ts";
import { askUdp, until, within } from "../../../tests/e2e/load.ts";
import { runtime as here, UdpTarget, UdpVisitor } from "../../../tests/unit/tunnel/forward_fixture.ts";
import { type Cell, dice, times } from "../stage.ts";
import { TaggedBytes } from "../tagged_bytes.ts";

const LARGE_BYTES = 1_200;
const LONGEST_BYTES = 65_507;
const SOURCES = 1_000;
const PER_SECOND = 10_000;

function start(
  cell: Cell,
  target: UdpTarget,
  more: { serverQuery?: string; env?: Record<string, string> },
): Promise<Pair> {
  return startPair({
    flow: cell.flow,
    server: cell.runtime,
    client: cell.runtime,
    targets: [target.address],
    serverQuery: [`tls=${cell.tls}`, more.serverQuery].filter(Boolean).join("&"),
    env: more.env ?? {},
  });
}

/** A source: its number leads every datagram that is long enough, its own bytes fill the rest. */
class Source implements Disposable {
  readonly #socket: Datagram;
  readonly #number: number;
  readonly #to: SocketAddress;
  readonly #bytes: TaggedBytes;
  readonly #buffer = new Uint8Array(LONGEST_BYTES);
  #pending: Promise<[Uint8Array, SocketAddress]> | null = null;

  private constructor(socket: Datagram, number: number, to: SocketAddress) {
    this.#socket = socket;
    this.#number = number;
    this.#to = to;
    this.#bytes = new TaggedBytes(number);
  }

  static async bind(number: number, to: SocketAddress, host = "127.0.0.1"): Promise<Source> {
    return new Source(await here.udp.bind({ host, port: 0 }), number, to);
  }

  async send(length: number): Promise<void> {
    await this.#socket.send(this.#datagram(length), this.#to);
  }

  /** Sends and waits for the same bytes; again while nothing comes. The number of foreign or altered answers. */
  async ask(length: number): Promise<{ wrong: number; lost: number }> {
    const sent = this.#datagram(length);
    for (let lost = 0; lost < 10; lost++) {
      // The receive stays pending over repetitions: an answer ends it whichever repetition it belongs to.
      this.#pending ??= this.#receive();
      await this.#socket.send(sent, this.#to);
      const answer = await within(1_000, "an answer", this.#pending).catch(() => null);
      if (answer === null) continue;
      this.#pending = null;
      return { wrong: equalBytes(answer[0], sent) ? 0 : 1, lost };
    }
    throw new Error(`No answer to ${length} bytes`);
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  #receive(): Promise<[Uint8Array, SocketAddress]> {
    const receiving = this.#socket.receive(this.#buffer);
    // Closed with the test, perhaps while it waits.
    receiving.catch(() => {});
    return receiving;
  }

  #datagram(length: number): Uint8Array {
    const bytes = this.#bytes.slice(length, length).slice();
    if (length >= 4) new DataView(bytes.buffer).setUint32(0, this.#number);
    return bytes;
  }
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** U1: every length from every source comes back as it was; a paced flow loses next to nothing. */
export async function boundaries(cell: Cell, seconds: number, maxLoss: number): Promise<Row> {
  let counting = false;
  let arrived = 0;
  await using target = await UdpTarget.bind((bytes) => {
    if (!counting) return bytes;
    arrived++;
    return null;
  });
  await using pair = await start(cell, target, {});
  const sources = await Promise.all(Array.from({ length: SOURCES }, (_, index) => Source.bind(index, pair.entry)));
  let [wrong, lost, asked] = [0, 0, 0];
  const ask = async (index: number, length: number): Promise<void> => {
    const result = await sources[index % SOURCES]!.ask(length);
    asked++;
    wrong += result.wrong;
    lost += result.lost;
  };
  const next = dice(7);
  const { failures } = await times(SOURCES, 20, (index) => ask(index, index % 50 === 0 ? 0 : next(LARGE_BYTES + 1)));
  const large = [LONGEST_BYTES, 1_201, 9_000, 32_768, 65_506];
  const more = await times(100, 1, (index) => ask(index * 7, large[index % 5]!));
  const askedLost = lost;
  let loss = 1;
  let sent = 0;
  let [full, fullAtTarget] = [0, 0];
  counting = true;
  // The load shares the machine with both ends: the best of three counts.
  for (let attempt = 0; attempt < 3 && loss > maxLoss; attempt++) {
    arrived = sent = 0;
    [full, fullAtTarget] = [droppedAt(pair.entry.port), droppedAt(target.address.port)];
    const started = performance.now();
    while (performance.now() - started < seconds * 1_000) {
      const due = Math.min(sent + 20, Math.floor((performance.now() - started) / 1_000 * PER_SECOND));
      for (; sent < due; sent++) await sources[sent % SOURCES]!.send(100 + sent % (LARGE_BYTES - 99));
      await delay(1);
    }
    await delay(500);
    [full, fullAtTarget] = [droppedAt(pair.entry.port) - full, droppedAt(target.address.port) - fullAtTarget];
    // What came through and found the socket of the load full is no loss of the tunnel.
    loss = 1 - (arrived + fullAtTarget) / sent;
  }
  const pps = Math.round(sent / seconds);
  for (const source of sources) source[Symbol.dispose]();
  return {
    id: "U1",
    pass: wrong === 0 && failures.length + more.failures.length === 0 && loss <= maxLoss,
    measured: {
      ...cell,
      sources: SOURCES,
      asked,
      wrong,
      repeated: askedLost,
      pps,
      lossPercent: Number((loss * 100).toFixed(3)),
      fullAtEntry: full,
      fullAtTarget,
      failures: [...failures, ...more.failures].slice(0, 3),
    },
    demand: `boundaries exact, 0 cross-delivery, loss <= ${maxLoss * 100} %`,
  };
}

/** U2: a session lives while packets come and ends after the limit. */
export async function expiry(cell: Cell, limitMs: number): Promise<Row> {
  const ports: number[] = [];
  await using target = await UdpTarget.bind();
  await using pair = await start(cell, target, {
    env: { NP_UDP_READ_TIMEOUT: `${limitMs}ms`, NP_REPORT_INTERVAL: "1s" },
  });
  const visitor = await UdpVisitor.bind(pair.entry);
  await askUdp(visitor, new Uint8Array(8));
  for (let index = 0; index < 6; index++) {
    await delay(limitMs / 3);
    await askUdp(visitor, new Uint8Array(8));
  }
  ports.push(target.sources.size);
  const silent = performance.now();
  const from = pair.server.lines.length;
  await pair.server.line(/CHECK_POINT.*\|UDPS=0\|/, { from, ms: limitMs + 10_000 });
  const freedMs = performance.now() - silent;
  await askUdp(visitor, new Uint8Array(8));
  // What came back may answer a datagram that was repeated before.
  await until("the new session reaches the target", () => target.sources.size > 1, 5_000).catch(() => {});
  ports.push(target.sources.size);
  visitor[Symbol.dispose]();
  return {
    id: "U2",
    // The line comes up to a second after the end.
    pass: ports[0] === 1 && ports[1] === 2 && freedMs >= limitMs - 2_000 && freedMs <= limitMs + 3_000,
    measured: { ...cell, limitMs, freedMs: Math.round(freedMs), sessions: ports },
    demand: "freed at the limit +- 2 s",
  };
}

/** U3: many sources, one datagram each; the table is capped and those who were there keep their sessions. */
export async function flood(cell: Cell, sources: number, seconds: number): Promise<Row> {
  const slots = 500;
  await using target = await UdpTarget.bind();
  await using pair = await start(cell, target, { serverQuery: `slot=${slots}`, env: { NP_REPORT_INTERVAL: "1s" } });
  const old = await Promise.all(Array.from({ length: 100 }, (_, index) => Source.bind(index, pair.entry)));
  await times(old.length, 20, async (index) => void await old[index]!.ask(100));
  const started = performance.now();
  let sent = 0;
  let [asked, answered] = [0, 0];
  while (sent < sources) {
    for (const due = Math.min(sources, (performance.now() - started) / 1_000 * sources / seconds); sent < due; sent++) {
      using stranger = await Source.bind(sent, pair.entry, `127.0.${1 + (sent >> 8) % 250}.${1 + sent % 250}`);
      await stranger.send(64);
    }
    const source = old[asked % old.length]!;
    if (sent % 3 === 0) {
      asked++;
      await source.ask(100).then(({ wrong, lost }) => answered += wrong === 0 && lost === 0 ? 1 : 0, () => {});
    }
    await delay(2);
  }
  const most = Math.max(...pair.server.lines.map((line) => Number(/\|UDPS=(\d+)\|/.exec(line)?.[1] ?? 0)));
  for (const source of old) source[Symbol.dispose]();
  const ratio = answered / asked;
  return {
    id: "U3",
    pass: most <= slots && ratio >= 0.95,
    measured: {
      ...cell,
      sources,
      seconds: Math.round((performance.now() - started) / 1_000),
      most,
      slots,
      asked,
      ratio: Number(ratio.toFixed(3)),
    },
    demand: "table capped, existing sessions >= 95 %",
  };
}
