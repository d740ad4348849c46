/**
 * A master is killed at any moment of a mixed load of changes, and everything that it had acknowledged is there when it
 * comes back: F3.
 *
 * @module
 */
import type { Row } from "../../bench/rows.ts";
import { API_KEY_ID, type InstanceView } from "../../../src/master/instance.ts";
import { echoTcp } from "../../../tests/e2e/load.ts";
import { MasterProcess } from "../../../tests/e2e/master_process.ts";
import type { RuntimeName } from "../../../tests/e2e/process.ts";
import { Target } from "../../../tests/e2e/targets.ts";
import { freePort } from "../../../tests/unit/tunnel/forward_fixture.ts";
import { Expected, type Step } from "./master_model.ts";

const RUNNING_MS = 10_000;
const WORKERS = 4;
/** Instances of one worker. */
const MOST = 3;
const LOAD_MS = 400;

/** The master said no. */
class Refusal extends Error {}

/** A number from 0 to below `limit`. */
function below(limit: number): number {
  return Math.floor(Math.random() * limit);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Kills a master `cycles` times. */
export async function masterKills(runtime: RuntimeName, cycles: number): Promise<Row> {
  await using target = await Target.listen();
  await using master = await MasterProcess.start({ runtime, env: { NP_REPORT_INTERVAL: "2s" } });
  const load = new Load(master, target.address.port);
  const { key } = master;
  const lost: string[] = [];
  const runningMs: number[] = [];
  let [acknowledged, keyKept] = [0, true];
  for (let cycle = 0; cycle < cycles; cycle++) {
    acknowledged += await load.until(sleep(below(LOAD_MS)).then(() => master.process.signal("SIGKILL")));
    await master.process.exited;
    // Once in a while it does not even get to its feet.
    if (below(4) === 0) await load.falseStart();
    const started = performance.now();
    await master.again();
    keyKept &&= master.key === key;
    lost.push(...load.expected.settle(await load.list()));
    runningMs.push(await load.running(started));
    const port = load.anyPort();
    if (port !== null) await echoTcp({ host: "127.0.0.1", port }, 1_000, cycle);
  }
  const slowest = Math.round(Math.max(...runningMs));
  return {
    id: "F3",
    pass: lost.length === 0 && keyKept && slowest <= RUNNING_MS && acknowledged >= cycles,
    measured: { runtime, kills: cycles, acknowledged, lost: lost.slice(0, 5), keyKept, runningMs: slowest },
    demand: `0 acknowledged changes lost, the same key, all restart instances running <= ${RUNNING_MS} ms`,
  };
}

/** Clients of the API that change instances of their own, one change at a time each. */
class Load {
  readonly expected: Expected = new Expected();
  readonly #master: MasterProcess;
  readonly #target: number;
  #names = 0;

  constructor(master: MasterProcess, target: number) {
    this.#master = master;
    this.#target = target;
  }

  /** Makes changes until the master is gone; the number of those that it acknowledged. */
  async until(killed: Promise<void>): Promise<number> {
    const workers = Array.from({ length: WORKERS }, (_, worker) => this.#work(worker));
    await killed;
    return (await Promise.all(workers)).reduce((sum, count) => sum + count, 0);
  }

  /** Starts the master and kills it before, while or after it listens. */
  async falseStart(): Promise<void> {
    const starting = this.#master.again().catch(() => {});
    await sleep(below(1_500));
    this.#master.process.signal("SIGKILL");
    await starting;
    await this.#master.process.exited;
  }

  async list(): Promise<InstanceView[]> {
    const answer = await this.#call("GET", "/instances");
    return (await answer.json() as InstanceView[]).filter(({ id }) => id !== API_KEY_ID);
  }

  /** Waits for every instance that is to run; milliseconds since `started`. */
  async running(started: number): Promise<number> {
    for (;;) {
      const waiting = (await this.list()).filter(({ restart, status }) => restart && status !== "running");
      const ms = performance.now() - started;
      if (waiting.length === 0 || ms > 2 * RUNNING_MS) return ms;
      await sleep(50);
    }
  }

  /** Where one of the running instances listens. */
  anyPort(): number | null {
    const running = this.expected.instances.filter(({ restart }) => restart);
    return running[below(Math.max(1, running.length))]?.port ?? null;
  }

  async #work(worker: number): Promise<number> {
    let count = 0;
    for (;;) {
      const step = await this.#step(worker);
      this.expected.begin(worker, step);
      try {
        const answer = await this.#call(step.method, step.path, step.body);
        const text = await answer.text();
        if (!answer.ok) throw new Refusal(`${step.method} ${step.path}: ${answer.status} ${text}`);
        this.expected.acknowledge(worker, text === "" ? null : JSON.parse(text) as InstanceView);
        count++;
      } catch (error) {
        // A refusal is a fault of the master; a connection that broke is the kill.
        if (error instanceof Refusal) throw error;
        return count;
      }
    }
  }

  async #step(worker: number): Promise<Step> {
    const own = this.expected.of(worker);
    const one = own[below(Math.max(1, own.length))];
    const choice = below(10);
    if (one === undefined || choice < 2 && own.length < MOST) {
      const [alias, port] = [`made-${this.#names++}`, await freePort()];
      return { kind: "create", method: "POST", path: "/instances", port, body: { alias, url: this.#url(port) } };
    }
    const at = { id: one.id, port: one.port, path: `/instances/${one.id}` };
    if (choice === 2 && own.length > 1) return { ...at, kind: "delete", method: "DELETE" };
    if (choice === 3) {
      return { ...at, kind: "put", method: "PUT", body: { url: `${this.#url(one.port)}&slot=${below(9e6)}` } };
    }
    if (choice === 4) return { ...at, kind: "patch", method: "PATCH", body: { action: "restart" } };
    if (choice === 5) return { ...at, kind: "patch", method: "PATCH", body: { restart: below(4) > 0 } };
    return { ...at, kind: "patch", method: "PATCH", body: { alias: `name-${this.#names++}` } };
  }

  #url(port: number): string {
    return `client://127.0.0.1:${port}/127.0.0.1:${this.#target}?mode=1&noudp=1`;
  }

  #call(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(this.#master.base + path, {
      method,
      headers: { "X-API-Key": this.#master.key },
      signal: AbortSignal.timeout(20_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
}
