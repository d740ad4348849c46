import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { retryAfterOf, secondsOf } from "../../../../src/core/ip_info/asking.ts";
import { isAskable } from "../../../../src/core/ip_info/askable.ts";
import { network } from "../../../../src/core/ip_info/fields.ts";
import { IpApi } from "../../../../src/core/ip_info/ip_api.ts";
import { Ipinfo } from "../../../../src/core/ip_info/ipinfo.ts";
import { startIpInfo } from "../../../../src/core/ip_info/ip_info.ts";
import type { CoreParts } from "../../../../src/core/parts.ts";
import { readCoreSettings } from "../../../../src/core/settings.ts";
import { silentLogger } from "../../../../src/log/silent.ts";
import { detectRuntime } from "../../../../src/runtime/detect.ts";
import { FakeClock } from "../../../fake_clock.ts";
import { deepEqual, equal, rejects, test } from "../../../harness.ts";
import { fakeIpApi } from "./providers.ts";

const real = await detectRuntime();
const never = new AbortController().signal;

test("addresses that somebody has are asked about, all others never", () => {
  for (const ip of ["8.8.8.8", "1.1.1.1", "223.255.255.254", "2a00:1450::1", "2600::", "2001:4860:4860::8888"]) {
    equal(isAskable(ip), true, ip);
  }
  const others = [
    ...["", "x", "8.8.8.8/32", "0.0.0.0", "10.1.1.1", "100.64.0.1", "127.0.0.1", "169.254.1.1", "172.31.255.255"],
    ...[
      "192.0.0.1",
      "192.0.2.1",
      "192.168.0.1",
      "198.18.0.1",
      "198.51.100.1",
      "203.0.113.1",
      "224.0.0.1",
      "255.255.255.255",
    ],
    ...[
      "::",
      "::1",
      "::ffff:10.0.0.1",
      "64:ff9b::808:808",
      "100::1",
      "2001:2::1",
      "2001:10::1",
      "2001:20::1",
      "2001:db8::1",
    ],
    ...["3fff::1", "2002:808:808::1", "4000::1", "5f00::1", "fc00::1", "fd12::1", "fe80::1", "fec0::1", "ff02::1"],
  ];
  for (const ip of others) equal(isAskable(ip), false, ip);
});

test("waits are read from headers, a day at most", () => {
  const clock = new FakeClock(Date.UTC(2026, 0, 1));
  deepEqual(["0", "60", "999999999", "-1", "1.5", "", "x", undefined].map(secondsOf), [
    ...[0, 60_000, 86_400_000, undefined, undefined, undefined, undefined, undefined],
  ]);
  equal(retryAfterOf("90", clock), 90_000);
  equal(retryAfterOf("Thu, 01 Jan 2026 00:02:00 GMT", clock), 120_000);
  equal(retryAfterOf("Thu, 01 Jan 2025 00:02:00 GMT", clock), 0);
  equal(retryAfterOf("Thu, 01 Jan 2030 00:02:00 GMT", clock), 86_400_000);
  equal(retryAfterOf("soon", clock), undefined);
});

test("networks have a number and an owner", () => {
  deepEqual(network("AS15169 Google LLC"), { asn: "AS15169", org: "Google LLC" });
  deepEqual(network("AS15169"), { asn: "AS15169" });
  deepEqual(network(3320), { asn: "AS3320" });
  for (const odd of ["", "Google", "AS", "AS99999999999", null, {}, 0, 1.5]) deepEqual(network(odd), {});
});

test("Ipinfo reads what paid plans nest, and what belongs to another address is no answer", async () => {
  const bodies: Record<string, unknown> = {
    "8.8.8.8": {
      ...{ ip: "8.8.8.8", country: "US", loc: "91,181", bogon: "yes" },
      ...{ asn: { asn: "AS15169", name: "Google LLC", type: "hosting" }, company: { name: "Google" } },
      ...{
        carrier: { name: "A carrier" },
        privacy: { vpn: false, proxy: false, tor: true, relay: false, hosting: true },
      },
    },
    "9.9.9.9": { ip: "9.9.9.8" },
    "1.1.1.1": [],
    "2a00::1": { ip: "2A00:0:0::1", bogon: true },
  };
  const server = createServer((request, response) => {
    response.end(JSON.stringify(bodies[decodeURIComponent(request.url!.split("/")[1]!)]));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const ipinfo = new Ipinfo(null, { runtime: { ...real, clock: new FakeClock(0) }, base });
    const answers = await ipinfo.lookup(Object.keys(bodies), never);
    const end = { provider: "ipinfo", fetchedAt: "1970-01-01T00:00:00.000Z" };
    deepEqual(Object.fromEntries(answers), {
      "8.8.8.8": {
        ...{
          countryCode: "US",
          asn: "AS15169",
          org: "Google",
          isp: "Google LLC",
          mobile: true,
          proxy: true,
          hosting: true,
        },
        ...end,
      },
      "9.9.9.9": { error: "the answer is for another address", final: true },
      "1.1.1.1": { error: "the answer is for another address", final: true },
      "2a00::1": { bogon: true, ...end },
    });
  } finally {
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }
});

test("IpApi waits as headers say, and paces itself where they say nothing", async () => {
  const clock = new FakeClock();
  const fake = await fakeIpApi(clock, { perWindow: 2 });
  const runtime = { ...real, clock };
  try {
    const free = new IpApi(null, { runtime, base: fake.base });
    const wait = async (): Promise<number> => {
      await free.lookup(["8.8.8.8"], never);
      return free.nextAllowedAt() - clock.wall();
    };
    equal(await wait() <= 0, true);
    equal(await wait(), 61_000);
    equal(await wait(), 61_000, "refused");
    equal(fake.violations, 1);
    clock.advance(61_000);
    fake.oddity = { headers: { "X-Rl": "?", "X-Ttl": "?" } };
    equal(await wait(), 4_000);
    fake.oddity = { status: 429, headers: { "X-Rl": "", "X-Ttl": "", "Retry-After": "300" } };
    equal(await wait(), 301_000);
    fake.oddity = null;
    const paid = new IpApi("a key&more", { runtime, base: fake.base });
    clock.advance(61_000);
    await paid.lookup(["8.8.8.8"], never);
    equal(fake.urls.at(-1)!.endsWith("&key=a%20key%26more"), true);
  } finally {
    await fake.close();
  }
  const gone = new IpApi("secret", { runtime, base: fake.base });
  const [answer] = (await gone.lookup(["8.8.8.8"], never)).values();
  equal(JSON.stringify(answer).includes("secret"), false);
  equal("error" in answer! && answer.final, false);
  const aborted = AbortSignal.abort(new Error("over"));
  await rejects(gone.lookup(["8.8.8.8"], aborted));
});

test("address data: a file that is none keeps Core from starting, and nobody is asked where nobody is named", async () => {
  const settings = readCoreSettings(() => undefined);
  let jobs = 0;
  const start = (ipInfo: Partial<typeof settings.ipInfo>): Promise<void> =>
    startIpInfo({
      ...{ runtime: real, logger: silentLogger, settings: { ...settings, ipInfo: { ...settings.ipInfo, ...ipInfo } } },
      jobs: { every: () => void jobs++, close: () => Promise.resolve() },
    } as unknown as CoreParts);
  await start({ provider: "none", mmdbPath: "/none" });
  equal(jobs, 0);
  await rejects(start({ provider: "mmdb", mmdbPath: "/none.mmdb" }), {
    code: "usage",
    message: /MMDB_PATH.*\/none\.mmdb/,
  });
  equal(jobs, 0);
});
