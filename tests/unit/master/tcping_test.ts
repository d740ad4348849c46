import type { NodePassError } from "../../../src/errors.ts";
import { createTcping, type TcpingOptions } from "../../../src/master/tcping.ts";
import { detectRuntime } from "../../../src/runtime/detect.ts";
import type { Conn } from "../../../src/runtime/types.ts";
import { FakeClock } from "../../fake_clock.ts";
import { deepEqual, equal, match, ok, test } from "../../harness.ts";

const settings = { allowLinkLocal: false };

test("tcping says how long a target took, and why one was not reached, as other masters do", async () => {
  const runtime = await detectRuntime();
  const tcping = createTcping({ runtime, settings });
  const listener = await runtime.net.listen({ host: "127.0.0.1", port: 0 });
  const open = `127.0.0.1:${listener.local.port}`;
  const accepted = listener.accept();
  const reached = await tcping(open);
  (await accepted)?.close();
  listener.close();
  equal(reached.connected, true);
  equal(reached.error, null);
  ok(Number.isInteger(reached.latency));
  const cases: [target: string, error: string | RegExp][] = [
    [open, `dial tcp ${open}: connect: connection refused`],
    ["[::1]:1", /^dial tcp \[::1\]:1: connect: /],
    ["127.0.0.1", "dial tcp: address 127.0.0.1: missing port in address"],
    ["::1:80", "dial tcp: address ::1:80: too many colons in address"],
    ["127.0.0.1:99999", "dial tcp: address 99999: invalid port"],
    ["127.0.0.1:http", "dial tcp: address http: invalid port"],
    ["nosuchname.invalid:80", "dial tcp: lookup nosuchname.invalid: no such host"],
    ["169.254.169.254:80", /^dial tcp 169\.254\.169\.254:80: link-local targets are refused/],
    ["[fe80::1]:80", /link-local/],
    ["[::ffff:169.254.169.254]:80", /link-local/],
    ["[::ffff:a9fe:a9fe]:80", /link-local/],
  ];
  for (const [target, expected] of cases) {
    const { connected, latency, error, target: echoed } = await tcping(target);
    deepEqual([echoed, connected, latency], [target, false, 0]);
    if (typeof expected === "string") equal(error, expected);
    else match(error ?? "", expected);
  }
});

function fakeRuntime(clock: FakeClock, addresses: readonly string[]) {
  const dials: string[] = [];
  const pending: ((conn: Conn) => void)[] = [];
  const conn = { close() {} } as Conn;
  const runtime = {
    clock,
    dns: { resolve: () => Promise.resolve(addresses) },
    net: {
      connect({ host }: { host: string }) {
        dials.push(host);
        return new Promise<Conn>((resolve) => pending.push(resolve));
      },
    },
    toError: (error: unknown) => error as NodePassError,
  } as unknown as TcpingOptions["runtime"];
  return { runtime, dials, answer: () => pending.shift()?.(conn) };
}

test("tcping looks at the address that a name leads to, when it dials", async () => {
  const { runtime, dials, answer } = fakeRuntime(new FakeClock(), ["169.254.169.254", "192.0.2.1"]);
  const asked = createTcping({ runtime, settings })("metadata.example:80");
  while (dials.length === 0) await Promise.resolve();
  answer();
  equal((await asked).connected, true);
  deepEqual(dials, ["192.0.2.1"]);
  const allowed = fakeRuntime(new FakeClock(), ["169.254.169.254"]);
  void createTcping({ runtime: allowed.runtime, settings: { allowLinkLocal: true } })("metadata.example:80");
  while (allowed.dials.length === 0) await Promise.resolve();
  deepEqual(allowed.dials, ["169.254.169.254"]);
  allowed.answer();
});

test("tcping dials ten targets at a time; one more waits a second for its turn", async () => {
  const clock = new FakeClock();
  const { runtime, dials, answer } = fakeRuntime(clock, []);
  const tcping = createTcping({ runtime, settings });
  const first = Array.from({ length: 10 }, () => tcping("192.0.2.1:80"));
  const lucky = tcping("192.0.2.2:80");
  const late = tcping("192.0.2.3:80");
  while (dials.length < 10) await Promise.resolve();
  answer();
  await first[0];
  while (dials.length < 11) await Promise.resolve();
  clock.advance(1_000);
  deepEqual(await late, { target: "192.0.2.3:80", connected: false, latency: 0, error: "too many requests" });
  for (let index = 0; index < 10; index++) answer();
  equal((await lucky).connected, true);
  await Promise.all(first);
  equal(clock.pending, 0);
});
