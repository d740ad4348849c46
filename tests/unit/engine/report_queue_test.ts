import { ReportQueue } from "../../../src/engine/report_queue.ts";
import { decodeReport, type EngineReport } from "../../../src/report/messages.ts";
import type { InstanceReport } from "../../../src/report/types.ts";
import { deepEqual, equal, match, ok, test } from "../../harness.ts";

/** A reader that takes one write at a time, when it is told to. */
class SlowReader {
  readonly reports: EngineReport[] = [];
  #more: (() => void) | null = null;
  #free = false;

  readonly write = (bytes: Uint8Array): Promise<void> => {
    for (const line of new TextDecoder().decode(bytes).split("\n").slice(0, -1)) this.reports.push(decodeReport(line));
    return this.#free ? Promise.resolve() : new Promise((resolve) => this.#more = resolve);
  };

  /** Reads everything from now on. */
  resume(): void {
    this.#free = true;
    this.#more?.();
  }
}

function checkpoint(run: string, tcprx: number): EngineReport {
  const report: InstanceReport = {
    mode: 1,
    ping: 0,
    pool: 0,
    tcps: 0,
    udps: 0,
    tcprx,
    tcptx: 0,
    udprx: 0,
    udptx: 0,
    connections: 0,
    rejections: {},
    weakKey: false,
  };
  return { kind: "checkpoint", run, report };
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}

test("ReportQueue keeps the order of reports, and one checkpoint of each run while nobody reads", async () => {
  const reader = new SlowReader();
  const queue = new ReportQueue(reader.write);
  queue.add({ kind: "ready", pid: 1, version: "1" });
  await turn();
  queue.add(checkpoint("a-1", 1));
  queue.add(checkpoint("b-1", 5));
  queue.add({ kind: "released", run: "b-1" });
  for (let bytes = 2; bytes <= 100; bytes++) queue.add(checkpoint("a-1", bytes));
  queue.add({ kind: "state", run: "a-1", state: "stopped", message: "", entries: [] });
  reader.resume();
  await queue.flush();
  deepEqual(reader.reports.map(({ kind }) => kind), ["ready", "checkpoint", "checkpoint", "released", "state"]);
  deepEqual(reader.reports[1], checkpoint("a-1", 100));
});

test("ReportQueue leaves log lines out when too many wait, says how many, and nothing else", async () => {
  const reader = new SlowReader();
  const queue = new ReportQueue(reader.write);
  queue.add({ kind: "ready", pid: 1, version: "1" });
  await turn();
  const line = "x".repeat(10_000);
  for (let index = 0; index < 100; index++) queue.add({ kind: "log", run: "a-1", line });
  queue.add({ kind: "released", run: "a-1" });
  reader.resume();
  await queue.flush();
  const kept = reader.reports.filter(({ kind }) => kind === "log").length;
  ok(kept >= 20 && kept <= 27, `${kept} lines kept`);
  equal(reader.reports.at(-1)!.kind, "released");
  queue.add({ kind: "log", run: "a-1", line: "next" });
  await queue.flush();
  const [said, next] = reader.reports.slice(-2);
  ok(said?.kind === "log" && next?.kind === "log");
  match(said.line, new RegExp(`^${100 - kept} lines left out`));
  equal(next.line, "next");
});
