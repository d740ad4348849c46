/**
 * Many clients of one API, and a long list.
 *
 * @module
 */
import { EMPTY_META, type StoredInstance } from "../../../src/master/instance.ts";
import { openState } from "../../../src/master/state_file/open.ts";
import { dirname } from "node:path/posix";
import { silentLogger } from "../../../src/log/silent.ts";
import { detectRuntime } from "../../../src/runtime/detect.ts";
import { MasterProcess } from "../../../tests/e2e/master_process.ts";
import type { RuntimeName } from "../../../tests/e2e/process.ts";
import { apiLoad, percentile } from "../../bench/loads/api_load.ts";
import { delay, residentMegabytes } from "../../bench/proc_files.ts";
import { median, type Row } from "../../bench/rows.ts";

const CLIENTS = 50;
const LISTED = 1_000;
const LISTS = 20;

/** What the load may take: 99 of 100 calls, in milliseconds. */
export interface ApiDemand {
  readonly readMs: number;
  readonly writeMs: number;
}

/** Fifty clients for `seconds`. */
export async function apiClients(runtime: RuntimeName, seconds: number, demand: ApiDemand): Promise<Row> {
  await using master = await MasterProcess.start({ runtime });
  const { base, key } = master;
  const before = residentMegabytes(master.process.pid);
  const load = await apiLoad({ base, key, clients: CLIENTS, ms: seconds * 1_000 });
  const [readMs, writeMs] = [percentile(load.reads, 0.99), percentile(load.writes, 0.99)].map(Math.round);
  const wrong = Object.entries(load.statuses).filter(([status]) => status === "failed" || Number(status) >= 500);
  return {
    id: "API",
    pass: wrong.length === 0 && load.calls > 0 && readMs! <= demand.readMs && writeMs! <= demand.writeMs,
    measured: {
      ...{ clients: CLIENTS, seconds, calls: load.calls, statuses: load.statuses },
      ...{ readP50: Math.round(percentile(load.reads, 0.5)), readP99: readMs },
      ...{ writeP50: Math.round(percentile(load.writes, 0.5)), writeP99: writeMs },
      ...{ megabytes: [before, residentMegabytes(master.process.pid)].map(Math.round) },
      ...(load.trouble.length > 0 ? { trouble: load.trouble } : {}),
    },
    demand: `no 5xx, p99 <= ${demand.readMs} ms for reads and ${demand.writeMs} ms for writes`,
  };
}

/** The list of a thousand instances. */
export async function longList(runtime: RuntimeName, limitMs: number): Promise<Row> {
  await using master = await MasterProcess.start({ runtime });
  await master.process.stop();
  await storeInstances(master.stateFile);
  await master.again();
  const samples: number[] = [];
  let length = 0;
  for (let index = 0; index < LISTS; index++) {
    const start = performance.now();
    const response = await fetch(`${master.base}/instances`, { headers: { "X-API-Key": master.key } });
    length = (await response.json()).length;
    samples.push(performance.now() - start);
    await delay(20);
  }
  const [first] = samples;
  const middle = median(samples);
  return {
    id: "API",
    pass: length === LISTED + 1 && middle <= limitMs,
    measured: { listed: length, medianMs: Math.round(middle), firstMs: Math.round(first!) },
    demand: `a list of ${LISTED} instances <= ${limitMs} ms`,
  };
}

async function storeInstances(stateFile: string): Promise<void> {
  const runtime = await detectRuntime();
  const directory = dirname(stateFile);
  const store = await openState({ runtime, directory, logger: silentLogger, reloadIntervalMs: 3_600_000 });
  const instances = Array.from({ length: LISTED }, (_, index): StoredInstance => ({
    id: (0x10000000 + index).toString(16),
    alias: `instance ${index}`,
    url: `server://key-${index}-0123456789abcdef@127.0.0.1:${10_000 + index}/127.0.0.1:8080?mode=2&tls=1`,
    ...{ restart: false, wanted: false, meta: EMPTY_META },
    counters: { tcprx: index, tcptx: index, udprx: 0, udptx: 0 },
  }));
  await store.save({ ...store.initial!, instances });
  await store.close();
}
