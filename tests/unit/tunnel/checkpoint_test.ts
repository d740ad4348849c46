import { createContext } from "../../../src/tunnel/create_context.ts";
import { formatCheckpoint, startCheckpoints } from "../../../src/tunnel/checkpoint.ts";
import type { TunnelStats } from "../../../src/tunnel/types.ts";
import { FakeClock } from "../../fake_clock.ts";
import { deepEqual, equal, test } from "../../harness.ts";
import { forwardConfig, LinesLogger, runtime } from "./forward_fixture.ts";

const stats: TunnelStats = {
  mode: "single",
  modeCode: 1,
  pingMs: 1.6,
  pool: 3,
  tcpSessions: 4,
  tcpOpened: 7,
  udpSessions: 5,
  tcpRx: 6,
  tcpTx: 7,
  udpRx: 8,
  udpTx: 9_007_199_254_740_991,
  rejections: {},
  peers: [],
};

test("formatCheckpoint keeps the wording that other programs read", () => {
  equal(
    formatCheckpoint(stats),
    "CHECK_POINT|MODE=1|PING=2ms|POOL=3|TCPS=4|UDPS=5|TCPRX=6|TCPTX=7|UDPRX=8|UDPTX=9007199254740991",
  );
});

test("startCheckpoints reports at once, at each interval, and not after it was stopped", () => {
  const clock = new FakeClock();
  const logger = new LinesLogger();
  const config = forwardConfig([], {}, { reportIntervalMs: 5_000 });
  const owned = createContext(config, { ...runtime, clock }, logger);
  const reports: TunnelStats[] = [];
  const stop = startCheckpoints(owned.context, { stats: () => stats, onReport: (report) => reports.push(report) });
  equal(reports.length, 1);
  clock.advance(14_999);
  equal(reports.length, 3);
  equal(logger.lines.filter(({ level }) => level === "event").length, 3);
  stop();
  clock.advance(10_000);
  equal(reports.length, 3);
  owned.close();
  equal(clock.pending, 0);
});

test("startCheckpoints sums the sessions of an interval up in one line, and is silent without any", () => {
  const clock = new FakeClock();
  const logger = new LinesLogger();
  const owned = createContext(forwardConfig([]), { ...runtime, clock }, logger);
  const { ledger } = owned.context;
  const stop = startCheckpoints(owned.context, {
    stats: () => ({ ...stats, tcpSessions: ledger.tcp, udpSessions: ledger.udp, rejections: ledger.rejections }),
  });
  for (let count = 0; count < 3; count++) ledger.open("tcp", "192.0.2.1:1")?.close();
  ledger.open("udp", "192.0.2.1:1");
  ledger.reject("denied");
  clock.advance(5_000);
  clock.advance(5_000);
  stop();
  deepEqual(
    logger.lines.filter(({ level }) => level === "info").map(({ fields }) => fields),
    [{ started: 4, ended: 3, live: 1, rejected: 1 }],
  );
  owned.close();
});
