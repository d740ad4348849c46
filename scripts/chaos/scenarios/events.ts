/**
 * Readers of a master's events that never read, beside readers that do, and one that keeps coming back.
 *
 * @module
 */
import { neverRead } from "../../../tests/e2e/events_fixture.ts";
import { within } from "../../../tests/e2e/load.ts";
import { type NodePassProcess, type RuntimeName, startCommand } from "../../../tests/e2e/process.ts";
import { delay, residentMegabytes } from "../../bench/proc_files.ts";
import type { Row } from "../../bench/rows.ts";
import { EventFollower } from "../event_follower.ts";

const INSTANCES = 50;
/** With so many instances: 100 updates a second. */
const INTERVAL = "500ms";
const KEY = "npk1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/** Makes an event as long as a talkative client of the API does. */
const NOTE = "x".repeat(256);
const NOTES = 16;
/** Away for so long, at most: 300 events. */
const AWAY_MS = 3_000;
/** What the stuck ones may cost altogether, in MB (10^6 bytes). */
const GROWTH_MB = 64;

/** How it is watched. */
interface Watch {
  readonly stuck: number;
  readonly seconds: number;
  /** For one event of a hundred, in milliseconds. */
  readonly demandMs: number;
}

/** One hundred events a second for so many seconds, and readers that never read. */
export async function stuckReaders(
  runtime: RuntimeName,
  { stuck = 50, seconds, demandMs = 100 }: Partial<Watch> & Pick<Watch, "seconds">,
): Promise<Row> {
  const folder = await Deno.makeTempDir({ prefix: "nodepass-chaos-" });
  try {
    const env = { NP_STATE_DIR: folder, NP_REPORT_INTERVAL: INTERVAL };
    await using process = startCommand(["master://127.0.0.1:0/api?log=info"], { runtime, env });
    const master = await Master.reach(process, folder);
    for (let index = 0; index < INSTANCES; index++) await master.create();
    return await watch(master, process.pid, { stuck, seconds, demandMs });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function watch(master: Master, pid: number, { stuck, seconds, demandMs }: Watch): Promise<Row> {
  const healthy = Array.from({ length: 4 }, () => new EventFollower(master.url, master.key));
  const returning = new EventFollower(master.url, master.key);
  await Promise.all([...healthy, returning].map((reader) => reader.open()));
  await delay(2_000);
  const before = residentMegabytes(pid);
  const { hostname: host, port } = new URL(master.url);
  const conns = await Promise.all(
    Array.from(
      { length: stuck },
      () =>
        neverRead(
          { host, port: Number(port) },
          new URL(master.url).pathname,
          undefined,
          `X-API-Key: ${master.key}\r\n`,
        ),
    ),
  );
  for (const reader of [...healthy, returning]) reader.reset();
  const ends = performance.now() + seconds * 1_000;
  let highest = 0;
  let returns = 0;
  while (performance.now() < ends) {
    await master.churn();
    await returning.close();
    await delay(AWAY_MS * Math.random());
    await returning.open();
    returns++;
    await delay(1_000);
    highest = Math.max(highest, residentMegabytes(pid));
  }
  const metrics = await master.metrics();
  for (const conn of conns) conn.close();
  await Promise.all([...healthy, returning].map((reader) => reader.close()));
  const delays = healthy.flatMap((reader) => reader.delays).sort((a, b) => a - b);
  const [p50, p99] = [0.5, 0.99].map((part) => delays[Math.floor(delays.length * part)] ?? Infinity);
  const lost = [...healthy, returning].reduce((sum, reader) => sum + reader.lost, 0);
  const growth = Math.round(highest - before);
  return {
    id: "E1",
    pass: p99! <= demandMs && lost === 0 && growth <= GROWTH_MB && returns > 0,
    measured: {
      stuck,
      seconds,
      eventsPerSecond: Math.round(delays.length / healthy.length / seconds),
      p50Ms: p50,
      p99Ms: p99,
      lost,
      returns,
      lagged: returning.lagged,
      megabytes: Math.round(before),
      growthMegabytes: growth,
      ...metrics,
    },
    demand: `healthy p99 <= ${demandMs} ms, nothing lost, memory + ${GROWTH_MB} MB at most`,
  };
}

/** The API of a master process. */
class Master {
  readonly key: string;
  readonly url: string;
  readonly #api: string;
  #made = 0;
  #last: string | null = null;

  private constructor(api: string, key: string) {
    this.#api = api;
    this.key = key;
    this.url = `${api}/events`;
  }

  static async reach(process: NodePassProcess, folder: string): Promise<Master> {
    const api = /url=(\S+)/.exec(await process.line("Master started"))![1]!;
    const state = await Deno.readTextFile(`${folder}/state/nodepass.json`);
    return new Master(api, /"apiKey":\s*"([0-9a-f]{32})"/.exec(state)![1]!);
  }

  /** A server with long notes. */
  async create(): Promise<string> {
    const url = `server://${KEY}@127.0.0.1:0/127.0.0.1:0?mode=1&log=error`;
    const { id } = JSON.parse(await this.#ask("POST", "/instances", { alias: `${++this.#made}`, url })) as {
      id: string;
    };
    const tags = Object.fromEntries(Array.from({ length: NOTES }, (_, index) => [`note${index}`, NOTE]));
    await this.#ask("PATCH", `/instances/${id}`, { meta: { tags } });
    return id;
  }

  /** One instance goes, another one comes. */
  async churn(): Promise<void> {
    if (this.#last !== null) await this.#ask("DELETE", `/instances/${this.#last}`);
    this.#last = await this.create();
  }

  /** What the master says about its readers. */
  async metrics(): Promise<{ readonly readers: number; readonly dropped: number }> {
    const text = await this.#ask("GET", "/metrics");
    const value = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1] ?? NaN);
    return { readers: value("nodepass_sse_subscribers"), dropped: value("nodepass_sse_dropped_total") };
  }

  async #ask(method: string, path: string, body?: unknown): Promise<string> {
    const request = fetch(this.#api + path, {
      method,
      headers: { "X-API-Key": this.key },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const response = await within(10_000, `an answer to ${method} ${path}`, request);
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return text;
  }
}
