import type { InstanceView } from "../../../src/master/instance.ts";
import { EMPTY_META } from "../../../src/master/instance.ts";
import { hashOf, placeOf } from "../../../src/master/dashboard/client/context.ts";
import { formatBytes, formatPing, formatRates, formatSpan } from "../../../src/master/dashboard/client/format.ts";
import { FrameParser } from "../../../src/master/dashboard/client/frame_parser.ts";
import { Model } from "../../../src/master/dashboard/client/model.ts";
import { RateHistory } from "../../../src/master/dashboard/client/rates.ts";
import { deepEqual, equal, test } from "../../harness.ts";

function view(id: string, changes: Partial<InstanceView> = {}): InstanceView {
  const gauges = { mode: 1, ping: 0, pool: 0, tcps: 0, udps: 0 };
  const counters = { tcprx: 0, tcptx: 0, udprx: 0, udptx: 0 };
  const url = "server://k@:1/:2";
  return {
    ...{ id, alias: "", type: "server", status: "running", url, config: url, restart: true, meta: EMPTY_META },
    ...gauges,
    ...counters,
    ...changes,
  };
}

/** What listeners heard, once. */
function heard(model: Model): Promise<string[]> {
  return new Promise((resolve) => {
    const forget = model.listen({
      changed(ids) {
        forget();
        resolve([...ids]);
      },
    });
  });
}

test("FrameParser: frames come whole wherever the stream was cut", () => {
  const text =
    'retry: 3000\n\n: a comment\nid: 1-7\nevent: instance\ndata: {"a":1}\n\nevent: lagged\r\ndata: x\r\n\r\n';
  for (let cut = 0; cut <= text.length; cut++) {
    const parser = new FrameParser();
    deepEqual([...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut))], [
      { event: "instance", data: '{"a":1}', id: "1-7" },
      { event: "lagged", data: "x", id: null },
    ]);
  }
});

test("RateHistory: differences over time; counters that go back begin again", () => {
  const rates = new RateHistory();
  rates.push(0, 100, 0);
  rates.push(5000, 5100, 10_000);
  deepEqual(rates.current, { rx: 1000, tx: 2000 });
  rates.push(5100, 9999, 10_000);
  equal(rates.samples.length, 1);
  rates.push(6000, 0, 0);
  rates.push(7000, 50, 60);
  deepEqual(rates.current, { rx: 50, tx: 60 });
  for (let time = 8; time < 100; time++) rates.push(time * 1000, 50, 60);
  equal(rates.samples.length, 60);
});

test("Model: events of a moment are told together, the key of the API is no tunnel", async () => {
  const model = new Model();
  const told = heard(model);
  const time = new Date(0).toISOString();
  model.take({ type: "initial", time, instance: view("********"), logs: "" });
  model.take({ type: "initial", time, instance: view("00000001"), logs: "" });
  model.take({ type: "update", time, instance: view("00000001", { tcps: 2 }), logs: "" });
  model.take({ type: "create", time, instance: view("00000002", { status: "stopped" }), logs: "" });
  deepEqual(await told, ["00000001", "00000002"]);
  deepEqual({ ...model.totals(), rate: null }, { all: 2, running: 1, stopped: 1, error: 0, sessions: 2, rate: null });
});

test("Model: a list that is older than an event does not undo it", async () => {
  const model = new Model();
  model.put(view("00000001"));
  model.put(view("00000002"));
  const told = heard(model);
  const compare = model.beginSync();
  model.put(view("00000003"));
  model.remove("00000002");
  compare([view("00000002"), view("00000004")]);
  await told;
  deepEqual([...model.entries.keys()].sort(), ["00000003", "00000004"]);
});

test("placeOf and hashOf: places survive the address", () => {
  for (
    const place of [
      { page: "list" },
      { page: "new" },
      { page: "edit", id: "0123abcd" },
      { page: "tunnel", id: "0123abcd", tab: "overview" },
      { page: "tunnel", id: "0123abcd", tab: "log" },
    ] as const
  ) deepEqual(placeOf(hashOf(place)), place);
  deepEqual(placeOf("#/tunnel/../x"), { page: "list" });
});

test("format: numbers keep three digits that count", () => {
  deepEqual([0, 999, 1000, 12_345, 999_600, 1.5e12].map(formatBytes), [
    "0 B",
    "999 B",
    "1.00 KB",
    "12.3 KB",
    "1.00 MB",
    "1.50 TB",
  ]);
  deepEqual([0, 7].map(formatPing), ["< 1 ms", "7 ms"]);
  deepEqual(formatRates(0.2, 0), ["idle", ""]);
  deepEqual(formatRates(1500, 0), ["↓ 1.50 KB/s", "↑ 0 B/s"]);
  deepEqual([4_000, 200_000, 7_500_000, 273_344_000].map(formatSpan), ["4 s", "3 min 20 s", "2 h 5 min", "3 d 3 h"]);
});
