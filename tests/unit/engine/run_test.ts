import { defaultSettings } from "../../../src/config/settings.ts";
import type { TunnelConfig } from "../../../src/config/types.ts";
import { EngineHost } from "../../../src/engine/host.ts";
import type { StartTunnel } from "../../../src/engine/types.ts";
import { NodePassError } from "../../../src/errors.ts";
import type { EngineReport } from "../../../src/report/messages.ts";
import type { CloseOptions, TunnelHandle, TunnelStats } from "../../../src/tunnel/types.ts";
import { FakeClock } from "../../fake_clock.ts";
import { deepEqual, equal, match, ok, test } from "../../harness.ts";
import { runtime } from "../tunnel/forward_fixture.ts";

const KEY = "a-key-of-many-letters";
const SERVER = `server://${KEY}@0.0.0.0:1/127.0.0.1:2`;
const STATS: TunnelStats = {
  mode: "reverse",
  modeCode: 1,
  pingMs: 1.6,
  pool: 2,
  tcpSessions: 1,
  tcpOpened: 5,
  udpSessions: 0,
  tcpRx: 10,
  tcpTx: 20,
  udpRx: 0,
  udpTx: 0,
  rejections: { slot: 3 },
  peers: [],
};

/** A tunnel that ends when a test says so. */
class FakeTunnel implements TunnelHandle {
  readonly addr = null;
  readonly entries = [{ host: "127.0.0.1", port: 7 }];
  readonly finished: Promise<void>;
  readonly closings: CloseOptions[] = [];
  readonly end: () => void;
  readonly fail: (error: Error) => void;

  constructor() {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.finished = promise;
    this.end = resolve;
    this.fail = reject;
  }

  stats(): TunnelStats {
    return STATS;
  }
  sessions(): [] {
    return [];
  }
  endSession(): boolean {
    return false;
  }
  reload(): Promise<void> {
    return Promise.resolve();
  }
  close(options: CloseOptions = {}): Promise<void> {
    this.closings.push(options);
    return Promise.resolve();
  }
  async [Symbol.asyncDispose](): Promise<void> {}
}

interface Scene {
  readonly host: EngineHost;
  readonly clock: FakeClock;
  readonly reports: EngineReport[];
  readonly configs: TunnelConfig[];
  kinds(): string;
}

function scene(startTunnel: StartTunnel, settings = {}): Scene {
  const clock = new FakeClock();
  const reports: EngineReport[] = [];
  const configs: TunnelConfig[] = [];
  const host = new EngineHost({
    runtime: { ...runtime, clock },
    settings: { ...defaultSettings, workers: 4, ...settings },
    startTunnel: (config, options) => {
      configs.push(config);
      return startTunnel(config, options);
    },
    report: (report) => void reports.push(report),
  });
  const kinds = (): string =>
    reports.filter(({ kind }) => kind !== "log").map((report) => report.kind === "state" ? report.state : report.kind)
      .join(" ");
  return { host, clock, reports, configs, kinds };
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}

test("EngineHost reports a run from its start to its last bytes", async () => {
  const tunnel = new FakeTunnel();
  const { host, reports, configs, kinds } = scene((_, { onReport }) => {
    onReport(STATS);
    return Promise.resolve(tunnel);
  });
  host.command({ kind: "start", run: "a-1", url: SERVER, portWaitMs: 0 });
  host.command({ kind: "start", run: "a-1", url: SERVER, portWaitMs: 0 });
  await settled();
  equal(kinds(), "checkpoint running");
  equal(configs.length, 1, "a name is used once");
  equal(configs[0]!.settings.workers, 1);
  const state = reports.find(({ kind }) => kind === "state");
  deepEqual(state, { kind: "state", run: "a-1", state: "running", message: "", entries: ["127.0.0.1:7"] });
  const checkpoint = reports.find(({ kind }) => kind === "checkpoint");
  ok(checkpoint?.kind === "checkpoint");
  const { ping, tcprx, connections, rejections, weakKey } = checkpoint.report;
  deepEqual({ ping, tcprx, connections, weakKey }, { ping: 2, tcprx: 10, connections: 5, weakKey: false });
  deepEqual(rejections, { slot: 3 });
  host.command({ kind: "stop", run: "a-1", graceMs: 70 });
  equal(tunnel.closings[0]?.graceMs, 70);
  tunnel.closings[0]?.onReleased?.();
  equal(kinds(), "checkpoint running released");
  tunnel.end();
  await settled();
  equal(kinds(), "checkpoint running released checkpoint stopped");
});

test("EngineHost says why a run did not start or failed, and never shows its key", async () => {
  const tunnel = new FakeTunnel();
  const { host, reports, kinds } = scene(() => Promise.resolve(tunnel));
  host.command({ kind: "start", run: "a-1", url: `server://${KEY}@0.0.0.0:1?slot=x`, portWaitMs: 0 });
  host.command({ kind: "start", run: "b-1", url: SERVER, portWaitMs: 0 });
  await settled();
  tunnel.fail(new NodePassError("io", "Broken"));
  await settled();
  equal(kinds(), "released error running checkpoint released error");
  const errors = reports.flatMap((report) => report.kind === "state" && report.message !== "" ? [report.message] : []);
  match(errors[0]!, /Target address is missing/);
  equal(errors[1], "Broken");
  ok(!JSON.stringify(reports).includes(KEY));
});

test("EngineHost runs what an API sends: without a key, with a warning, unless a good key is required", async () => {
  const keyless = "server://0.0.0.0:1/127.0.0.1:2?unknown=1";
  const some = scene((_, { onReport }) => {
    onReport(STATS);
    return Promise.resolve(new FakeTunnel());
  });
  some.host.command({ kind: "start", run: "a-1", url: keyless, portWaitMs: 0 });
  await settled();
  equal(some.kinds(), "checkpoint running");
  ok(some.reports.some((report) => report.kind === "log" && /WARN .*Tunnel key is missing/.test(report.line)));
  ok(some.reports.some((report) => report.kind === "checkpoint" && report.report.weakKey));
  const strict = scene(() => Promise.resolve(new FakeTunnel()), { requireKey: true });
  strict.host.command({ kind: "start", run: "a-1", url: keyless, portWaitMs: 0 });
  await settled();
  equal(strict.kinds(), "released error");
});

test("EngineHost calls a client that cannot reach its server running, and gives its start up when it is stopped", async () => {
  const { host, clock, kinds } = scene((_, { signal }) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("given up"))))
  );
  host.command({ kind: "start", run: "a-1", url: `client://${KEY}@192.0.2.1:1/127.0.0.1:2?mode=2`, portWaitMs: 0 });
  await settled();
  equal(kinds(), "");
  clock.advance(250);
  equal(kinds(), "running");
  host.command({ kind: "stop", run: "a-1", graceMs: 5_000 });
  await settled();
  equal(kinds(), "running released stopped");
  equal(clock.pending, 0);
});

test("EngineHost waits for a port that another run is giving up, no longer than it was told", async () => {
  let attempts = 0;
  const { host, clock, kinds } = scene(() => {
    attempts++;
    return Promise.reject(new NodePassError("address_in_use", "Cannot listen"));
  });
  host.command({ kind: "start", run: "a-1", url: SERVER, portWaitMs: 300 });
  await settled();
  await clock.advanceSteps(1_000, 50);
  equal(attempts, 4);
  equal(kinds(), "released error");
});

test("EngineHost answers about runs that it does not know", () => {
  const { host, reports } = scene(() => Promise.resolve(new FakeTunnel()));
  host.command({ kind: "sessions", request: 1, run: "x" });
  host.command({ kind: "end_session", request: 2, run: "x", session: "1" });
  host.command({ kind: "stop", run: "x", graceMs: 0 });
  host.command({ kind: "reload" });
  deepEqual(reports, [
    { kind: "sessions", request: 1, sessions: [] },
    { kind: "session_ended", request: 2, found: false },
  ]);
});

test("EngineHost.close() ends every run and starts no other", async () => {
  const tunnel = new FakeTunnel();
  const { host, kinds } = scene(() => Promise.resolve(tunnel));
  host.command({ kind: "start", run: "a-1", url: SERVER, portWaitMs: 0 });
  await settled();
  const closed = host.close(500);
  host.command({ kind: "start", run: "b-1", url: SERVER, portWaitMs: 0 });
  equal(tunnel.closings[0]?.graceMs, 500);
  tunnel.end();
  await closed;
  equal(kinds(), "running checkpoint released stopped");
});
